namespace ResilientHost.WorkItems;

/// <summary>How an attempt at an item ended.</summary>
internal enum AttemptEnd
{
    /// <summary>The item is processed.</summary>
    Processed,

    /// <summary>It failed, and is to be tried again.</summary>
    Retry,

    /// <summary>It failed for the last time.</summary>
    Poison,

    /// <summary>A layer further in refused, which says nothing of the item: it is tried again, and that attempt does not count.</summary>
    Refused,

    /// <summary>It was to stop: the attempt does not count.</summary>
    Interrupted,
}

/// <summary>Where a taken item is. The loop of the processing moves it.</summary>
internal enum ItemState
{
    /// <summary>Waits for its key or for a place.</summary>
    Waiting,

    /// <summary>Waits for the time of its next attempt.</summary>
    Retrying,

    /// <summary>An attempt is under way.</summary>
    Running,

    /// <summary>Its dead letter is being written.</summary>
    Burying,

    /// <summary>Its dead letter could not be kept, and is to be written again.</summary>
    Unburied,

    /// <summary>Finished, or given back.</summary>
    Gone,
}

/// <summary>An item that was taken and is not finished.</summary>
internal sealed class HeldItem<T>(WorkItem<T> work, WorkItemProcessor<T> owner) : IThreadPoolWorkItem
{
    private int _claimed;

    public WorkItem<T> Work { get; } = work;

    /// <summary>Attempts that counted, the one under way included.</summary>
    public int Attempts { get; set; } = work.Attempts;

    /// <summary>Refusals in a row.</summary>
    public int Refusals { get; set; }

    /// <summary>How often its dead letter could not be kept.</summary>
    public int SinkFailures { get; set; }

    public ItemState State { get; set; }

    public AttemptEnd End { get; set; }

    public FailedAttempt? Failure { get; set; }

    public LaneKey? Key { get; set; }

    public ItemLane<T>? Lane { get; set; }

    public ITimer? Timer { get; set; }

    /// <summary>Whether the caller is the one that may finish the item: its attempt may end just when its dead letter is written for it.</summary>
    public bool TryClaim() => Interlocked.Exchange(ref _claimed, 1) == 0;

    public void Execute() => _ = owner.AttemptAsync(this);
}

/// <summary>What is remembered of an item's last failed attempt.</summary>
/// <param name="Exception">What it threw.</param>
/// <param name="At">When it ended.</param>
/// <param name="TraceId">Of its span.</param>
/// <param name="IsFinal">Whether there is to be no other: what is left to do is the dead letter.</param>
internal sealed record FailedAttempt(Exception Exception, DateTimeOffset At, string? TraceId, bool IsFinal = false);
