using ResilientHost.Hosting;

namespace ResilientHost.Workers;

/// <summary>Fixed times at a fixed distance: those that are missed are left out. Not thread-safe.</summary>
internal sealed class PeriodicSchedule
{
    // Timers of the system reach no further than 49 days.
    private static readonly TimeSpan LongestWait = TimeSpan.FromDays(1);

    private readonly TimeSpan _period;
    private readonly MonotonicClock _clock;
    private readonly TimeSpan _offset;
    private readonly long _start;
    private long _next;

    public PeriodicSchedule(TimeSpan period, MonotonicClock clock, TimeSpan initialDelay, bool runImmediately)
    {
        _period = period;
        _clock = clock;
        _offset = initialDelay;
        _start = clock.Timestamp();
        _next = runImmediately ? 0 : 1;
    }

    /// <summary>How long to wait before asking again; zero: it is time.</summary>
    public TimeSpan UntilNext()
    {
        var wait = _clock.Elapsed(_clock.Timestamp(), DueOf(_next));
        return wait < LongestWait ? wait : LongestWait;
    }

    /// <summary>The pass that was due is over: the next one is the first whose time has not passed.</summary>
    public void Ended()
    {
        var elapsed = _clock.Elapsed(_start, _clock.Timestamp()) - _offset;
        var (whole, rest) = Math.DivRem(elapsed.Ticks, _period.Ticks);
        _next = Math.Max(_next + 1, rest > 0 ? whole + 1 : whole);
    }

    // From the start each time, for a period need not be a whole number of the clock's ticks.
    private long DueOf(long number) => _start + _clock.ToTimestampTicks(_offset + (number * _period));
}
