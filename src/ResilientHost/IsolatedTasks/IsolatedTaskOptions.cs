namespace ResilientHost;

/// <summary>What bounds isolated tasks. Bound from <c>Resilience:IsolatedTasks</c>.</summary>
/// <remarks>Not thread-safe; read once per change of configuration.</remarks>
public sealed class IsolatedTaskOptions
{
    /// <summary>The kill switch: <see langword="false"/> takes the bounds off; tasks stay contained and tracked.</summary>
    /// <value>Default <see langword="true"/>; reloads.</value>
    public bool Enabled { get; set; } = true;

    /// <summary>Tasks that may live at once, of all names.</summary>
    /// <value>From 1 to 1,000,000; default 10,000; reloads.</value>
    public int MaxTasks { get; set; } = 10_000;

    /// <summary>Tasks of one name that may live at once.</summary>
    /// <value>From 1 to 1,000,000; default 1,000; reloads.</value>
    public int MaxTasksPerName { get; set; } = 1_000;

    /// <summary>How long the host waits for tasks when it stops. Those that are left are cancelled when nine tenths of it are over, and named.</summary>
    /// <value>From 0 to 1 hour; default 10 s; reloads.</value>
    public TimeSpan DrainTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How long live tasks of one name may keep growing in number before that is reported as a leak.</summary>
    /// <value>From 1 s to 1 day; default 5 minutes; reloads.</value>
    public TimeSpan LeakWindow { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>Live tasks of one name below which growth is no leak.</summary>
    /// <value>From 2 to 1,000,000; default 20; reloads.</value>
    public int LeakThreshold { get; set; } = 20;
}
