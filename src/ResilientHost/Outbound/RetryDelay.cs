namespace ResilientHost.Outbound;

/// <summary>How long to wait before the next attempt.</summary>
internal static class RetryDelay
{
    /// <summary>The policy's wait with its jitter, or what the answer asks for where that is longer.</summary>
    /// <param name="policy">The client's.</param>
    /// <param name="failed">Number of the attempt that failed, from 1.</param>
    /// <param name="retryAfter">What its answer asks for.</param>
    /// <param name="random">Of [0, 1).</param>
    public static TimeSpan Of(RetryPolicy policy, int failed, TimeSpan? retryAfter, double random)
    {
        if (policy.Delay == TimeSpan.Zero && retryAfter is null)
        {
            return TimeSpan.Zero;
        }

        // As numbers: 100 to the power of 9 times an hour is more than a TimeSpan holds.
        var ticks = policy.Delay.Ticks * Math.Pow(policy.Backoff, failed - 1) * (1 + (policy.Jitter * ((2 * random) - 1)));
        var wait = ticks >= policy.MaxDelay.Ticks ? policy.MaxDelay : new TimeSpan((long)ticks);
        return retryAfter is { } asked && Min(asked, policy.MaxRetryAfter) is var heeded && heeded > wait ? heeded : wait;
    }

    private static TimeSpan Min(TimeSpan one, TimeSpan other) => one < other ? one : other;
}
