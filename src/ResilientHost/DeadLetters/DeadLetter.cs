namespace ResilientHost;

/// <summary>An item that could not be processed, and why.</summary>
public sealed record DeadLetter
{
    /// <summary>Unique, and in the order of writing within one process.</summary>
    public required string Id { get; init; }

    /// <summary>Name of the worker.</summary>
    public required string Worker { get; init; }

    /// <summary>Name of the processing, <see cref="WorkItemOptions{T}.Name"/>.</summary>
    public required string Source { get; init; }

    /// <summary>The item in JSON; cut if it is longer than it may be.</summary>
    public required string Item { get; init; }

    /// <summary>Full name of the item's type.</summary>
    public required string ItemType { get; init; }

    /// <summary>Whether <see cref="Item"/> is cut or could not be serialized.</summary>
    public bool IsTruncated { get; init; }

    /// <summary>Why it is here.</summary>
    public required DeadLetterReason Reason { get; init; }

    /// <summary>How often it was tried.</summary>
    public int Attempts { get; init; }

    /// <summary>Full name of the last exception's type; <see langword="null"/> if none was thrown.</summary>
    public string? ExceptionType { get; init; }

    /// <summary>Message of the last exception, at most 1,024 characters.</summary>
    public string? ExceptionMessage { get; init; }

    /// <summary>Trace id of the last attempt.</summary>
    public string? TraceId { get; init; }

    /// <summary>When the last attempt ended.</summary>
    public required DateTimeOffset At { get; init; }
}

/// <summary>Why an item is a dead letter.</summary>
public enum DeadLetterReason
{
    /// <summary>Every attempt failed.</summary>
    Poison,

    /// <summary>It was taken from a channel in memory, and the process stopped before it was processed.</summary>
    Shutdown,

    /// <summary>It was read from a journal and could not be understood.</summary>
    Unreadable,
}
