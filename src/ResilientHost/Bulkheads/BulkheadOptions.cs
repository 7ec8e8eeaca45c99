namespace ResilientHost;

/// <summary>How many calls may be inside a bulkhead at once, and what happens to the others.</summary>
/// <remarks>Bound from <c>Resilience:Bulkheads:&lt;name&gt;</c>; a change at run time applies without losing calls in flight.</remarks>
public sealed class BulkheadOptions
{
    /// <summary>What happens to a call that finds no room.</summary>
    /// <value>Default <see cref="BulkheadMode.Enforce"/>.</value>
    public BulkheadMode Mode { get; set; } = BulkheadMode.Enforce;

    /// <summary>Calls that may be inside at once.</summary>
    /// <value>
    /// Calls, at least 1; default 256. <see langword="null"/> means no limit: the bulkhead only measures and never refuses, as the automatic
    /// one of each endpoint does.
    /// </value>
    public int? MaxConcurrency { get; set; } = 256;

    /// <summary>Calls that may wait for room.</summary>
    /// <value>Calls, 0 to 1,000,000; default 0: nobody waits.</value>
    public int QueueLength { get; set; }

    /// <summary>How long a call may wait before it is refused. A call already waiting keeps the timeout it came under.</summary>
    /// <value>More than zero and at most one day; default 1 s.</value>
    public TimeSpan QueueTimeout { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Who is served first, and who is refused when the queue is full.</summary>
    /// <value>Default <see cref="QueueOrder.OldestFirst"/>.</value>
    public QueueOrder QueueOrder { get; set; } = QueueOrder.OldestFirst;
}
