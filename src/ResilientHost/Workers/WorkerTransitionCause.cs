namespace ResilientHost;

/// <summary>Why the state of a worker changed.</summary>
public enum WorkerTransitionCause
{
    /// <summary>The host started, or is stopping.</summary>
    Host,

    /// <summary>The run threw, or could not be started.</summary>
    Failure,

    /// <summary>The run returned.</summary>
    Returned,

    /// <summary>The delay before a restart is over.</summary>
    Restart,

    /// <summary>A sibling of its group failed.</summary>
    Group,

    /// <summary>It failed more often than it may.</summary>
    GaveUp,

    /// <summary>Nothing was heard of it for longer than its heartbeat timeout.</summary>
    Silence,

    /// <summary>It was heard of again.</summary>
    Heartbeat,

    /// <summary>The service level.</summary>
    ServiceLevel,

    /// <summary>The circuit of what it needs.</summary>
    Circuit,

    /// <summary>A person.</summary>
    Manual,
}
