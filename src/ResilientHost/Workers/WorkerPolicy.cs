namespace ResilientHost.Workers;

/// <summary>How one worker is supervised: what its options say, with what they leave open decided. Immutable.</summary>
internal sealed class WorkerPolicy(WorkerOptions options)
{
    public RestartPolicy Restart { get; } = options.Restart;

    public RestartLimits Limits { get; } = new(options.MaxRestarts, options.RestartWindow, options.FailureThreshold, options.FailureDecay);

    public TimeSpan RestartDelay { get; } = options.RestartDelay;

    public double RestartBackoff { get; } = options.RestartBackoff;

    public TimeSpan MaxRestartDelay { get; } = options.MaxRestartDelay;

    public double RestartJitter { get; } = options.RestartJitter;

    public Criticality Criticality { get; } = options.Criticality;

    /// <summary>What configuration or code says; <see langword="null"/>: see <see cref="WorkerOptions.OnGiveUp"/>.</summary>
    public GiveUpAction? OnGiveUp { get; } = options.OnGiveUp;

    public TimeSpan? HeartbeatTimeout { get; } = options.HeartbeatTimeout;

    public bool ReplaceStuck { get; } = options.ReplaceStuck;

    public int MaxAbandoned { get; } = options.MaxAbandoned;

    /// <summary>What configuration or code says; see <see cref="RunsUpTo"/> for what that comes to.</summary>
    public ServiceLevel? PauseAt { get; } = options.PauseAt;

    public TimeSpan StopTimeout { get; } = options.StopTimeout;

    public string? Group { get; } = Name(options.Group);

    public IReadOnlyList<string> DependsOn { get; } =
        options.DependsOn?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) ?? [];

    public string? CircuitBreaker { get; } = Name(options.CircuitBreaker);

    public string? Bulkhead { get; } = Name(options.Bulkhead);

    /// <summary>The worst level at which a worker that pauses of its own accord goes on; <see langword="null"/>: it never pauses.</summary>
    public ServiceLevel? RunsUpTo { get; } = HighestLevel(options);

    private static ServiceLevel? HighestLevel(WorkerOptions options)
    {
        var pauseAt = options.PauseAt ?? options.Criticality switch
        {
            Criticality.Sheddable => ServiceLevel.Reduced,
            Criticality.Critical => ServiceLevel.Normal,
            _ => ServiceLevel.Survival,
        };
        return pauseAt == ServiceLevel.Normal ? null : pauseAt - 1;
    }

    private static string? Name(string? text) => string.IsNullOrWhiteSpace(text) ? null : text.Trim();
}

/// <summary>How a group of workers shares its fate. Immutable.</summary>
/// <param name="options">What is asked for.</param>
/// <param name="enabled">The kill switch of groups: while off, nobody is restarted for another.</param>
internal sealed class WorkerGroupPolicy(WorkerGroupOptions options, bool enabled = true)
{
    public GroupStrategy Strategy { get; } = enabled ? options.Strategy : GroupStrategy.OneForOne;

    public RestartLimits Limits { get; } = new(options.MaxRestarts, options.RestartWindow, options.FailureThreshold, options.FailureDecay);

    public GiveUpAction? OnGiveUp { get; } = options.OnGiveUp;
}

/// <summary>How often one may restart before giving up.</summary>
internal sealed record RestartLimits(int MaxRestarts, TimeSpan Window, double? FailureThreshold, TimeSpan FailureDecay);

/// <summary>What is said of all workers. The dictionaries hold those that configuration or code names; others have <paramref name="Default"/>.</summary>
/// <param name="Enabled">The kill switch: while off, no run is started again, and nothing pauses or is watched; a failure has the outcome that it has without the suite.</param>
/// <param name="SupervisesHostedServices">Whether hosted services are supervised that the suite did not register.</param>
/// <param name="ContainsUnhandledExceptions">Whether exceptions that nothing catches are contained.</param>
/// <param name="Default">The policy of a worker that nothing is said of.</param>
/// <param name="Named">Policies by name of the worker.</param>
/// <param name="Groups">Policies by name of the group.</param>
internal sealed record WorkerSettings(
    bool Enabled,
    bool SupervisesHostedServices,
    bool ContainsUnhandledExceptions,
    WorkerPolicy Default,
    IReadOnlyDictionary<string, WorkerPolicy> Named,
    IReadOnlyDictionary<string, WorkerGroupPolicy> Groups)
{
    /// <summary>Names that others inherit from.</summary>
    public IReadOnlySet<string> Bases { get; init; } = new HashSet<string>();

    public WorkerPolicy PolicyOf(string worker) => Named.GetValueOrDefault(worker) ?? Default;
}
