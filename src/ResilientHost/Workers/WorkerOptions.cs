using ResilientHost.Hosting;

namespace ResilientHost;

/// <summary>How one worker is supervised. Bound from <c>Resilience:Workers:&lt;name&gt;</c>; the name of a hosted service is the name of its type.</summary>
/// <remarks>
/// Not thread-safe; read once per change of configuration. <see cref="Group"/> and <see cref="DependsOn"/> are read at start, everything else is in force from the worker's next
/// failure, iteration or pause on.
/// </remarks>
public sealed class WorkerOptions : ICopiedOptions
{
    /// <summary>After which ends the worker is started again.</summary>
    /// <value>Default <see cref="RestartPolicy.Transient"/>.</value>
    public RestartPolicy Restart { get; set; } = RestartPolicy.Transient;

    /// <summary>Restarts that are allowed within <see cref="RestartWindow"/>; a failure that would need one more gives up.</summary>
    /// <value>From 0 to 1,000,000; default 5. In a group, the group's counts instead.</value>
    /// <remarks>Source: restart intensity of Erlang/OTP supervisors.</remarks>
    public int MaxRestarts { get; set; } = 5;

    /// <summary>The period over which <see cref="MaxRestarts"/> counts.</summary>
    /// <value>From 1 ms to 1 day; default 30 s.</value>
    public TimeSpan RestartWindow { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Failures, each worth less as time passes, beyond which to give up, whatever <see cref="MaxRestarts"/> says.</summary>
    /// <value>More than 0 and at most 1,000,000; default <see langword="null"/>: not counted. In a group, the group's counts instead.</value>
    /// <remarks>Source: suture's failure count, <c>count × 0.5^(time since the last failure ÷ FailureDecay) + 1</c>.</remarks>
    public double? FailureThreshold { get; set; }

    /// <summary>The time after which a failure counts half for <see cref="FailureThreshold"/>.</summary>
    /// <value>From 1 ms to 30 days; default 30 s.</value>
    public TimeSpan FailureDecay { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>The delay before the first restart; the first failed iteration in a row delays the next iteration as much.</summary>
    /// <value>From 0 to 1 day; default 200 ms.</value>
    public TimeSpan RestartDelay { get; set; } = TimeSpan.FromMilliseconds(200);

    /// <summary>What the delay is multiplied by at each further failure. A run that lasts as long as <see cref="RestartWindow"/> begins anew.</summary>
    /// <value>From 1 to 100; default 2.</value>
    public double RestartBackoff { get; set; } = 2.0;

    /// <summary>The longest delay.</summary>
    /// <value>At least <see cref="RestartDelay"/> and at most 1 day; default 30 s.</value>
    public TimeSpan MaxRestartDelay { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How far a delay is off, evenly in both directions, so that many processes do not restart in step.</summary>
    /// <value>From 0 to 1; default 0.2. The longest delay holds after the jitter.</value>
    public double RestartJitter { get; set; } = 0.2;

    /// <summary>How important the worker is to the service.</summary>
    /// <value>Default <see cref="Criticality.Default"/>. Decides what <see cref="OnGiveUp"/> and <see cref="PauseAt"/> leave open.</value>
    public Criticality Criticality { get; set; } = Criticality.Default;

    /// <summary>What happens when it failed more often than it may.</summary>
    /// <value>
    /// Default <see langword="null"/>: <see cref="GiveUpAction.StopHost"/> for a <see cref="Criticality.Critical"/> worker, else <see cref="GiveUpAction.Fail"/>; for a hosted service that
    /// the suite did not register, what <c>HostOptions.BackgroundServiceExceptionBehavior</c> says.
    /// </value>
    public GiveUpAction? OnGiveUp { get; set; }

    /// <summary>How long the worker may be silent while it has work.</summary>
    /// <value>From 10 ms to 1 day; default <see langword="null"/>: it is not watched. Needs a worker that <c>AddResilientWorker</c> registered: others have no way to be heard.</value>
    public TimeSpan? HeartbeatTimeout { get; set; }

    /// <summary>Whether a silent run is cancelled and replaced.</summary>
    /// <value>Default <see langword="false"/>: it is only reported. Needs <see cref="HeartbeatTimeout"/>.</value>
    public bool ReplaceStuck { get; set; }

    /// <summary>Runs that did not end when they were cancelled, and that may exist beside their replacement. One more gives up.</summary>
    /// <value>From 0 to 100; default 2.</value>
    public int MaxAbandoned { get; set; } = 2;

    /// <summary>The service level from which on the worker pauses: iterations and items at their next beginning; a <c>BackgroundService</c> is stopped, and started again after.</summary>
    /// <value>
    /// Default <see langword="null"/>: <see cref="ServiceLevel.Reduced"/> for a <see cref="Criticality.Sheddable"/> worker, <see cref="ServiceLevel.Survival"/> for a
    /// <see cref="Criticality.Default"/> one, never for a <see cref="Criticality.Critical"/> one, nor for a <c>BackgroundService</c>. <see cref="ServiceLevel.Normal"/>: never.
    /// </value>
    public ServiceLevel? PauseAt { get; set; }

    /// <summary>How long the worker may take to end when it is asked to stop.</summary>
    /// <value>From 0 to 1 hour; default 10 s. All together are bounded by <c>HostOptions.ShutdownTimeout</c>.</value>
    public TimeSpan StopTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>The group that the worker shares its fate with.</summary>
    /// <value>A name of <c>Resilience:WorkerGroups</c>; default <see langword="null"/>: none.</value>
    public string? Group { get; set; }

    /// <summary>Workers, separated by commas, that start before this one and stop after it.</summary>
    /// <remarks>A start is not waited for: runs begin on the thread pool, so what a worker needs of another must not depend on how far that one has got.</remarks>
    /// <value>Names of workers that <c>AddResilientWorker</c> registered; default <see langword="null"/>: the order of registration alone.</value>
    public string? DependsOn { get; set; }

    /// <summary>The circuit breaker around each iteration and item: while it refuses, the worker pauses.</summary>
    /// <value>A name of <c>Resilience:CircuitBreakers</c>; default <see langword="null"/>: none.</value>
    public string? CircuitBreaker { get; set; }

    /// <summary>The bulkhead around each iteration and item; the worker waits for a place.</summary>
    /// <remarks>A wait that takes as long as the bulkhead's <c>QueueTimeout</c> counts as a refusal there, and begins again. An iteration within an item, or within another iteration, takes a further place: with <c>MaxConcurrency</c> 1 it would wait for ever.</remarks>
    /// <value>A name of <c>Resilience:Bulkheads</c>; default <see langword="null"/>: none.</value>
    public string? Bulkhead { get; set; }

    object ICopiedOptions.Copy() => MemberwiseClone();
}
