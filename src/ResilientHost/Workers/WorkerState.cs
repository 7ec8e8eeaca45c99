namespace ResilientHost;

/// <summary>Where a worker is in its life.</summary>
public enum WorkerState
{
    /// <summary>Not started yet.</summary>
    Created,

    /// <summary>A run is under way.</summary>
    Running,

    /// <summary>A run is under way and waits: for the service level, or for an open circuit of what it needs.</summary>
    Paused,

    /// <summary>A run is under way, and nothing was heard of it for longer than its heartbeat timeout.</summary>
    Stuck,

    /// <summary>The last run failed; the next one starts after a delay, or after the siblings have stopped.</summary>
    BackingOff,

    /// <summary>The run was asked to stop and has not ended yet.</summary>
    Stopping,

    /// <summary>Stopped with the host, or with its group.</summary>
    Stopped,

    /// <summary>Its work is done: it returned, and its restart policy does not start it again.</summary>
    Completed,

    /// <summary>Given up: it failed more often than it may, or its restart policy does not start it again after a failure.</summary>
    Failed,
}
