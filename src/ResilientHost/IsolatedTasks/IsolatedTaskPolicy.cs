namespace ResilientHost.IsolatedTasks;

/// <summary>What bounds isolated tasks as configuration wants it, read once: later changes of the options do not reach it. Immutable.</summary>
/// <param name="options">Valid options.</param>
internal sealed class IsolatedTaskPolicy(IsolatedTaskOptions options)
{
    /// <summary>Whether there are bounds: the layer's switch, unless whoever makes the policy knows of another one that is off.</summary>
    public bool Enabled { get; init; } = options.Enabled;

    public int MaxTasks { get; } = options.MaxTasks;

    public int MaxTasksPerName { get; } = options.MaxTasksPerName;

    public TimeSpan DrainTimeout { get; } = options.DrainTimeout;

    public TimeSpan LeakWindow { get; } = options.LeakWindow;

    public int LeakThreshold { get; } = options.LeakThreshold;
}
