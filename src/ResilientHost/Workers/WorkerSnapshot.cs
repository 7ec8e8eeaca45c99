namespace ResilientHost;

/// <summary>A worker as it stands; values that belong together.</summary>
public sealed record WorkerSnapshot
{
    /// <summary>Name of the worker.</summary>
    public required string Name { get; init; }

    /// <summary>Where it is in its life.</summary>
    public required WorkerState State { get; init; }

    /// <summary>Since when.</summary>
    public required DateTimeOffset Since { get; init; }

    /// <summary>How often it was started again since the host started.</summary>
    public int Restarts { get; init; }

    /// <summary>Type of the exception that ended a run, or an iteration, last, <c>System.TimeoutException</c> for a run that was silent; <see langword="null"/> if none has.</summary>
    public string? LastFailure { get; init; }

    /// <summary>When that was.</summary>
    public DateTimeOffset? LastFailureAt { get; init; }

    /// <summary>When it was heard of last; <see langword="null"/> before its first run, and for a worker that cannot be heard.</summary>
    public DateTimeOffset? LastHeartbeat { get; init; }

    /// <summary>What it said or did last, such as the name of an iteration; <see langword="null"/> if nothing is known.</summary>
    public string? LastActivity { get; init; }

    /// <summary>Runs that were given up on and have not ended yet.</summary>
    public int Abandoned { get; init; }

    /// <summary>Its group; <see langword="null"/> for a worker on its own.</summary>
    public string? Group { get; init; }

    /// <summary>Its criticality.</summary>
    public Criticality Criticality { get; init; }
}
