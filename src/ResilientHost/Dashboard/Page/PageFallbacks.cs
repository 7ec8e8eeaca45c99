namespace ResilientHost.Dashboard.Page;

/// <summary>Which fallbacks answer in place of a circuit's calls.</summary>
internal static class PageFallbacks
{
    /// <summary>What they have done, in words; <see langword="null"/>: nothing.</summary>
    public static string? Of(ResilienceStatus status, CircuitBreakerStatus circuit)
    {
        var (own, stale, failed) = status.Fallbacks
            .Where(fallback => (fallback.CircuitBreaker ?? fallback.Endpoint) == circuit.Name)
            .Aggregate((Own: 0L, Stale: 0L, Failed: 0L), static (sum, each) => (sum.Own + each.Delegate, sum.Stale + each.Stale, sum.Failed + each.Failed));
        return own + stale == 0
            ? null
            : $"Answered by its {(own == 0 ? "stale " : "")}fallback, {PageWords.Number(own + stale)} so far{(failed == 0 ? "" : $", {PageWords.Number(failed)} failed")}";
    }
}
