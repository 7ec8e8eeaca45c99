namespace ResilientHost.Caching;

/// <summary>Words that telemetry uses.</summary>
internal static class CacheNames
{
    /// <summary>Of the cache without a name.</summary>
    public const string Default = "default";

    public static string Of(CacheRead read) => read switch
    {
        CacheRead.Hit => "hit",
        CacheRead.DistributedHit => "distributed_hit",
        CacheRead.Miss => "miss",
        CacheRead.NegativeHit => "negative_hit",
        CacheRead.Stale => "stale",
        CacheRead.Filtered => "filtered",
        _ => "failed",
    };

    public static string Of(CallOutcome outcome) => outcome switch
    {
        CallOutcome.Succeeded => "succeeded",
        CallOutcome.Failed => "failed",
        _ => "ignored",
    };
}
