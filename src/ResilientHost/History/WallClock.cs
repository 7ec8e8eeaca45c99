using ResilientHost.Hosting;

namespace ResilientHost.History;

/// <summary>Turns timestamps into times for people, the same one each time it is asked. Not thread-safe.</summary>
/// <remarks>Both clocks are read at different moments, and one is slewed: times that were told must not tremble for it. When the wall clock was set, all of them move along.</remarks>
internal sealed class WallClock(MonotonicClock clock)
{
    private static readonly TimeSpan Tolerance = TimeSpan.FromMilliseconds(250);

    private long _anchor = clock.Timestamp();
    private DateTimeOffset _time = clock.UtcNow;

    /// <summary>Looks whether the wall clock was set.</summary>
    public void Align(long now)
    {
        var time = clock.UtcNow;
        if ((time - TimeOf(now)).Duration() > Tolerance)
        {
            (_anchor, _time) = (now, time);
        }
    }

    public DateTimeOffset TimeOf(long timestamp)
    {
        var ticks = timestamp >= _anchor
            ? _time.UtcTicks + Math.Min(clock.ToTimeSpan(timestamp - _anchor).Ticks, DateTimeOffset.MaxValue.UtcTicks - _time.UtcTicks)
            : Math.Max(_time.UtcTicks - clock.ToTimeSpan(_anchor - timestamp).Ticks, 0);
        return new DateTimeOffset(ticks, TimeSpan.Zero);
    }

    /// <summary>The timestamp of a time that lies before <paramref name="now"/>.</summary>
    public long TimestampOf(DateTimeOffset time, long now)
    {
        var age = TimeOf(now) - time;
        return age <= TimeSpan.Zero ? now : now - clock.ToTimestampTicks(age);
    }
}
