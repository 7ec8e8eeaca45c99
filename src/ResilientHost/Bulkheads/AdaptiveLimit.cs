namespace ResilientHost;

/// <summary>Whether and how a bulkhead finds its limit by itself.</summary>
public enum AdaptiveLimit
{
    /// <summary>The limit is <see cref="BulkheadOptions.MaxConcurrency"/>.</summary>
    None,

    /// <summary>
    /// Additive increase, multiplicative decrease: one more after a success, a tenth less after a failure. After D. Chiu and R. Jain, "Analysis of the increase and decrease algorithms for
    /// congestion avoidance in computer networks" (1989), and <c>AIMDLimit</c> of Netflix concurrency-limits. For callers of something that answers overload with errors.
    /// </summary>
    Aimd,

    /// <summary>
    /// Follows the ratio of the latency over a long time to that of now: shrinks when calls take longer than they used to, before anything fails. After <c>Gradient2Limit</c> of Netflix
    /// concurrency-limits, which takes it from TCP Vegas. For something that answers overload by queueing.
    /// </summary>
    Gradient2,
}
