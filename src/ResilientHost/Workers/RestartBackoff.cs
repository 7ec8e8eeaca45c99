namespace ResilientHost.Workers;

/// <summary>How long to wait before the next try.</summary>
internal static class RestartBackoff
{
    /// <summary>The delay after a number of failures in a row: exponential, off by the jitter in either direction, and never longer than the longest delay.</summary>
    /// <param name="policy">Whose delays.</param>
    /// <param name="failures">Failures in a row, from 1.</param>
    /// <param name="random">Source of the jitter.</param>
    public static TimeSpan Delay(WorkerPolicy policy, int failures, Random random)
    {
        // Zero times an infinite factor is no number.
        if (policy.RestartDelay == TimeSpan.Zero)
        {
            return TimeSpan.Zero;
        }

        var ticks = policy.RestartDelay.Ticks * Math.Pow(policy.RestartBackoff, Math.Max(failures, 1) - 1);
        var jittered = ticks * (1 + (policy.RestartJitter * ((2 * random.NextDouble()) - 1)));

        // Compared as doubles: an overgrown delay has no ticks.
        return jittered >= policy.MaxRestartDelay.Ticks ? policy.MaxRestartDelay : new TimeSpan((long)jittered);
    }
}
