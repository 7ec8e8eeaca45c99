namespace ResilientHost;

/// <summary>When the service turns down the less important, and how fast. Bound from <c>Resilience:Degradation</c>.</summary>
/// <remarks>
/// <para>Each signal is smoothed, and compared with its thresholds. While any is at or above <c>Enter</c>, more is turned down; while all are at or below
/// <c>Exit</c>, less; in between, things stay as they are. The worst signal decides.</para>
/// <para>Not thread-safe; read once per change of configuration.</para>
/// </remarks>
public sealed class DegradationOptions
{
    /// <summary>The layer's kill switch: <see langword="false"/> holds the service level at <see cref="ServiceLevel.Normal"/>, overridden or not.</summary>
    /// <value>Default <see langword="true"/>; reloads.</value>
    public bool Enabled { get; set; } = true;

    /// <summary>Whether the level that signals ask for turns requests down. A level that a person has set always does.</summary>
    /// <value>
    /// Default <see langword="null"/>: <see cref="DegradationMode.Enforce"/> once any endpoint says its criticality, else <see cref="DegradationMode.Shadow"/>, so that installing the
    /// suite refuses nothing. Reloads.
    /// </value>
    public DegradationMode? Mode { get; set; }

    /// <summary>How often the signals are read.</summary>
    /// <value>100 ms to 10 s; default 500 ms; reloads.</value>
    public TimeSpan SampleInterval { get; set; } = TimeSpan.FromMilliseconds(500);

    /// <summary>Time constant of the exponential moving average of each signal.</summary>
    /// <value>0 (no smoothing) to 1 minute; default 2 s; reloads.</value>
    public TimeSpan Smoothing { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>The shortest time that the service stays at one level, up or down.</summary>
    /// <value>0 to 10 minutes; default 2 s; reloads.</value>
    public TimeSpan MinimumDwell { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>How long shedding takes to grow from nothing to the whole of one level.</summary>
    /// <value>0 (at once) to 10 minutes; default 2 s; reloads.</value>
    public TimeSpan RampUp { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>How long shedding takes to go back through one level.</summary>
    /// <value>0 (at once) to 1 hour; default 10 s; reloads.</value>
    public TimeSpan RampDown { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How long after its start the service stays at <see cref="ServiceLevel.Normal"/> whatever the signals say: starting takes all there is, for a while.</summary>
    /// <value>0 to 10 minutes; default 5 s; reloads.</value>
    public TimeSpan StartupGrace { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Processor time of the process, as a share of the container's quota or else of the machine's cores.</summary>
    /// <value>Default 0.90 / 0.75.</value>
    public SignalOptions Cpu { get; } = new(0.90, 0.75);

    /// <summary>Memory in use as a share of its limit: the managed heap of the runtime's, or the working set of the container's or machine's, whichever is worse.</summary>
    /// <value>Default 0.90 / 0.80.</value>
    public SignalOptions Memory { get; } = new(0.90, 0.80);

    /// <summary>Memory in use as it will be in 10 s at its present slope, as a share of its limit: from 1 on it is exhausted within 10 s.</summary>
    /// <value>Default 1.0 / 0.9.</value>
    public SignalOptions MemoryProjected { get; } = new(1.0, 0.9);

    /// <summary>Share of time for which garbage collection held every thread.</summary>
    /// <value>Default 0.30 / 0.15.</value>
    public SignalOptions GcPause { get; } = new(0.30, 0.15);

    /// <summary>How long a work item waits for a thread of the pool, in seconds.</summary>
    /// <value>Default 0.5 / 0.1.</value>
    public SignalOptions ThreadPoolDelay { get; } = new(0.5, 0.1);

    /// <summary>Work items that wait for a thread of the pool.</summary>
    /// <value>Default 10,000 / 1,000, and not <see cref="SignalOptions.Enabled"/>: what a long queue means depends on the work.</value>
    public SignalOptions ThreadPoolQueue { get; } = new(10_000, 1_000, enabled: false);

    /// <summary>Locks that threads had to wait for, per second.</summary>
    /// <value>Default 10,000 / 1,000, and not <see cref="SignalOptions.Enabled"/>.</value>
    public SignalOptions LockContention { get; } = new(10_000, 1_000, enabled: false);

    /// <summary>Open file descriptors as a share of the process's limit.</summary>
    /// <value>Default 0.80 / 0.70.</value>
    public SignalOptions FileDescriptors { get; } = new(0.80, 0.70);

    /// <summary>Share of time in which some task waited for a processor (Linux pressure stall information, of the container where there is one).</summary>
    /// <value>Default 0.80 / 0.50, and not <see cref="SignalOptions.Enabled"/>: on a shared machine it tells of the neighbours.</value>
    public SignalOptions CpuPressure { get; } = new(0.80, 0.50, enabled: false);

    /// <summary>Share of time in which every task waited for memory (Linux pressure stall information, of the container where there is one).</summary>
    /// <value>Default 0.25 / 0.10.</value>
    public SignalOptions MemoryPressure { get; } = new(0.25, 0.10);

    /// <summary>How often per second the container ran into its memory limit (cgroup v2 <c>memory.events</c>: <c>max</c> and <c>oom</c>; v1: <c>failcnt</c>).</summary>
    /// <value>Default 100 / 10, and not <see cref="SignalOptions.Enabled"/>: a full page cache does it, too.</value>
    public SignalOptions MemoryEvents { get; } = new(100, 10, enabled: false);
}
