using ResilientHost.CircuitBreaking;

namespace ResilientHost;

// What metrics and people see of the breaker.
public sealed partial class CircuitBreaker
{
    /// <summary>The state now, derived from time.</summary>
    /// <remarks>Reading publishes a change that is due.</remarks>
    public CircuitState State => Observe().State;

    /// <summary>Calls refused since construction, by partitions too.</summary>
    internal long Refused => (Volatile.Read(ref _extras)?.Counted?.ReadRefused() ?? 0) + (Partitions?.Refused ?? 0);

    /// <summary>Calls since construction that it would have refused, were its mode not Shadow; by partitions too.</summary>
    internal long WouldHaveRefused => (Volatile.Read(ref _extras)?.Counted?.ReadWouldHaveRefused() ?? 0) + (Partitions?.WouldHaveRefused ?? 0);

    /// <summary>Results that came in a later era than their permit.</summary>
    internal long LateResults => (Volatile.Read(ref _extras)?.Counted?.ReadLate() ?? 0) + (Partitions?.LateResults ?? 0);

    /// <summary>What the breaker knows now.</summary>
    /// <returns>State, counts of the window or the half-open era, and what is left of a break.</returns>
    public CircuitSnapshot Snapshot()
    {
        var clock = _family.Clock;
        var now = clock.CoarseTimestamp();
        var era = Observe(now);
        var counts = Count(era, now);
        var calls = counts.Calls;
        return new CircuitSnapshot
        {
            State = era.State,
            Mode = era.Policy.Mode,
            Era = era.Number,
            Since = clock.UtcAt(era.Since, now),
            Calls = (int)Math.Min(calls, int.MaxValue),
            Failures = (int)Math.Min(counts.Failures, int.MaxValue),
            SlowCalls = (int)Math.Min(counts.SlowCalls, int.MaxValue),
            FailureRatio = calls == 0 ? 0 : counts.Failures / (double)calls,
            SlowCallRatio = calls == 0 ? 0 : counts.SlowCalls / (double)calls,
            Refused = Refused,
            LateResults = LateResults,
            RetryAfter = RemainingBreak(era, now),
        };
    }

    /// <summary>State; of a breaker with partitions the worst of theirs and its own.</summary>
    internal CircuitState WorstState()
    {
        var own = State;
        return Partitions?.WorstState() is { } worst && CircuitNames.RankOf(worst) > CircuitNames.RankOf(own) ? worst : own;
    }

    /// <summary>State, and calls in the window; of a breaker with partitions the worst of theirs, and the sum. Without an object, for those who look at thousands.</summary>
    internal (CircuitState State, long Calls) Glance()
    {
        if (Partitions is { } partitions)
        {
            var (worst, calls) = partitions.Glance();
            var own = State;
            return (CircuitNames.RankOf(own) >= CircuitNames.RankOf(worst) ? own : worst, calls);
        }

        var now = _family.Clock.CoarseTimestamp();
        var era = Observe(now);
        return (era.State, Count(era, now).Calls);
    }

    private WindowCounts Count(CircuitEra era, long now)
    {
        if (era.Probes is not { } probes)
        {
            return era.Window?.Read(era.Policy, now) ?? default;
        }

        lock (Gate)
        {
            return probes.Counts;
        }
    }
}
