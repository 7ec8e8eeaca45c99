using Microsoft.AspNetCore.Http;
using ResilientHost.Hosting;

namespace ResilientHost;

/// <summary>How many calls may be inside a bulkhead at once, and what happens to the others.</summary>
/// <remarks>Bound from <c>Resilience:Bulkheads:&lt;name&gt;</c>; a change at run time applies without losing calls in flight.</remarks>
public sealed class BulkheadOptions : ICopiedOptions
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

    /// <summary>Whether the limit is found at run time, between <see cref="MinConcurrency"/> and <see cref="MaxConcurrency"/>.</summary>
    /// <value>Default <see cref="AdaptiveLimit.None"/>. Another value needs <see cref="MaxConcurrency"/>. A change starts anew at <see cref="InitialConcurrency"/>.</value>
    public AdaptiveLimit Adaptive { get; set; }

    /// <summary>The lowest limit that an adaptive bulkhead may come to.</summary>
    /// <value>Calls, 1 to <see cref="MaxConcurrency"/>; default 1. Counts with <see cref="Adaptive"/> only.</value>
    public int MinConcurrency { get; set; } = 1;

    /// <summary>The limit at which an adaptive bulkhead begins.</summary>
    /// <value>Calls, <see cref="MinConcurrency"/> to <see cref="MaxConcurrency"/>; default <see langword="null"/>: 20, or the nearest within those bounds. Counts with <see cref="Adaptive"/> only.</value>
    public int? InitialConcurrency { get; set; }

    /// <summary>Whom requests are told apart by, so that one caller who floods gets a fair share and not everything.</summary>
    /// <value>
    /// <c>User</c>, <c>Claim:type</c>, <c>Header:name</c> (of trusted callers; others count by their address), <c>RouteValue:name</c>, <c>Host</c> or <c>RemoteAddress</c>; default
    /// <see langword="null"/>: nobody is told apart. For inbound requests. Needs <see cref="MaxConcurrency"/>.
    /// </value>
    /// <remarks>
    /// A caller gets everything while nobody else wants it, and its weighted share of the room and the queue while others do. Beyond its share it is refused with status 429.
    /// </remarks>
    public string? PartitionBy { get; set; }

    /// <summary>As <see cref="PartitionBy"/>, by code.</summary>
    /// <value>
    /// Gives the caller's key, for instance a tenant's name; default <see langword="null"/>. Requests for which it returns <see langword="null"/> or throws share one partition. Must be quick and
    /// thread-safe. Not together with <see cref="PartitionBy"/>.
    /// </value>
    public Func<HttpContext, string?>? PartitionKey { get; set; }

    /// <summary>How much more than others some callers may have, by key.</summary>
    /// <value>Weights, above 0 and at most 1,000; a key that is not named has 1. Default empty.</value>
    public IDictionary<string, double> PartitionWeights { get; private set; } = new Dictionary<string, double>(StringComparer.Ordinal);

    /// <summary>Most callers that are told apart at a time; the rest shares one partition.</summary>
    /// <value>1 to 1,000,000; default 10,000.</value>
    public int MaxPartitions { get; set; } = 10_000;

    object ICopiedOptions.Copy()
    {
        var copy = (BulkheadOptions)MemberwiseClone();
        copy.PartitionWeights = new Dictionary<string, double>(PartitionWeights, StringComparer.Ordinal);
        return copy;
    }
}
