namespace ResilientHost.Propagation;

/// <summary>What the calls made while serving a request need to know of it. One for each request; follows its execution context.</summary>
/// <remarks>Thread-safe: calls of one request may run side by side, and outlive it.</remarks>
internal sealed class InboundCall
{
    private static readonly AsyncLocal<InboundCall?> Ambient = new();
    private volatile bool _dependencyFailed;

    /// <summary>Of the request that is served now; <see langword="null"/> outside of one.</summary>
    public static InboundCall? Current
    {
        get => Ambient.Value;
        set => Ambient.Value = value;
    }

    /// <summary>When the time of the request is over, as a timestamp of the host's clock; <see cref="long.MaxValue"/>: it has no end.</summary>
    public long Deadline { get; init; } = long.MaxValue;

    /// <summary>How much it matters.</summary>
    public Criticality Criticality { get; init; } = Criticality.Default;

    /// <summary>Which attempt of its caller's it is: 1, or what <c>Resilience-Attempt</c> says. Above 1, calls made for it are not made again.</summary>
    public int Attempt { get; init; } = 1;

    /// <summary>Whether a call made for it has failed for good: making the request again would not help, and its answer says so.</summary>
    public bool DependencyFailed => _dependencyFailed;

    /// <summary>Notes that a call made for it has failed for good.</summary>
    public void NoteDependencyFailure() => _dependencyFailed = true;
}
