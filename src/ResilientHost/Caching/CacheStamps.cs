using ResilientHost.Hosting;

namespace ResilientHost.Caching;

/// <summary>
/// Orders what happens to cached values: each stamp is above all before it and above all that were seen from other processes, and near the wall clock's ticks.
/// </summary>
/// <remarks>
/// Thread-safe. A hybrid logical clock (Kulkarni et al. 2014) without the counter's own bits: a tick more stands for «later at the same time». Wall clocks that
/// disagree or are set back so lose no order between events of which one knew of the other.
/// </remarks>
internal sealed class CacheStamps(MonotonicClock clock)
{
    private static readonly long Horizon = TimeSpan.FromDays(1).Ticks;

    private long _last;

    /// <summary>The next stamp.</summary>
    public long Next()
    {
        var now = clock.UtcNow.UtcTicks;
        while (true)
        {
            var last = Volatile.Read(ref _last);
            var next = Math.Max(now, last + 1);
            if (Interlocked.CompareExchange(ref _last, next, last) == last)
            {
                return next;
            }
        }
    }

    /// <summary>Takes note of another process' stamp. One from far in the future is no stamp: it would push all later ones there.</summary>
    /// <returns>Whether it is a stamp.</returns>
    public bool Observe(long stamp)
    {
        if (stamp <= 0 || stamp > clock.UtcNow.UtcTicks + Horizon)
        {
            return false;
        }

        AtLeast(ref _last, stamp);
        return true;
    }

    /// <summary>Raises a value that others may raise at the same time.</summary>
    public static void AtLeast(ref long value, long least)
    {
        var now = Volatile.Read(ref value);
        while (now < least)
        {
            var was = Interlocked.CompareExchange(ref value, least, now);
            if (was == now)
            {
                return;
            }

            now = was;
        }
    }
}
