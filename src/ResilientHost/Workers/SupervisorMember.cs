namespace ResilientHost.Workers;

/// <summary>One member of a group as its <see cref="SupervisorMachine"/> sees it; only the machine moves it.</summary>
/// <param name="index">Its place in the order of starting.</param>
/// <param name="name">For people.</param>
/// <param name="canReplace">Whether a run can begin while an abandoned one has not ended.</param>
internal sealed class SupervisorMember(int index, string name, bool canReplace)
{
    public int Index { get; } = index;

    public string Name { get; } = name;

    /// <summary>Where it stands. <see cref="WorkerState.Running"/> also while the run itself is paused or stuck; <see cref="WorkerState.Paused"/> only without a run.</summary>
    public WorkerState State { get; set; }

    /// <summary>Number of the current run, or of the last.</summary>
    public int Run { get; set; }

    public TimeSpan RunBegan { get; set; }

    /// <summary>Failures in a row, for the delay.</summary>
    public int Failures { get; set; }

    /// <summary>Whether the host has started it and not stopped it.</summary>
    public bool Wanted { get; set; }

    /// <summary>Whether it is to stand still.</summary>
    public bool Held { get; set; }

    /// <summary>When the delay, or the limit of stopping, is over; <see langword="null"/> if nothing is due.</summary>
    public TimeSpan? Due { get; set; }

    /// <summary>Why it was asked to stop.</summary>
    public WorkerTransitionCause StopCause { get; set; }

    public TimeSpan StopAsked { get; set; }

    public string? StopDetail { get; set; }

    /// <summary>Why it is to begin as soon as its abandoned runs have ended; <see langword="null"/> if it does not wait for that.</summary>
    public WorkerTransitionCause? AwaitsAbandoned { get; set; }

    /// <summary>Runs that did not end within their limit, and since when.</summary>
    public Dictionary<int, TimeSpan> Abandoned { get; } = [];

    /// <summary>Whether a run may begin beside those that were abandoned.</summary>
    public bool MayBegin(WorkerPolicy policy) => Abandoned.Count == 0 || (canReplace && Abandoned.Count <= policy.MaxAbandoned);
}
