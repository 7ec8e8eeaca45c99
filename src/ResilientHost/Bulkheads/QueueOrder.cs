namespace ResilientHost;

/// <summary>Who is served first in a bulkhead's queue, and who is refused when it is full.</summary>
public enum QueueOrder
{
    /// <summary>First come, first served. When the queue is full the newcomer is refused.</summary>
    OldestFirst,

    /// <summary>
    /// The newest waiter is served first: under lasting overload its caller is the likeliest to be still there. When the queue is
    /// full the oldest waiter is refused to make room.
    /// </summary>
    NewestFirst,
}
