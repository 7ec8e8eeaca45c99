using ResilientHost.Hosting;

namespace ResilientHost.Outbound;

/// <summary>How far a body is behind the slowest pace that is allowed. Counting only: no timers, no streams. Not thread-safe.</summary>
/// <remarks>
/// Time that someone waits is a debt, bytes pay it off. Being early is not saved up: a body of which a gigabyte came quickly may stall no longer than one that has just begun. A body that stops is given up after the
/// grace, one at half the rate after twice the grace.
/// </remarks>
/// <param name="bytesPerSecond">The slowest rate.</param>
/// <param name="grace">The largest debt.</param>
/// <param name="clock">For the length of a tick.</param>
/// <param name="ends">The timestamp by which the body has to be there, however fast it comes; <see cref="long.MaxValue"/>: it may take as long as it takes.</param>
internal sealed class ResponseBodyPace(double bytesPerSecond, TimeSpan grace, MonotonicClock clock, long ends = long.MaxValue)
{
    private readonly double _ticksPerByte = clock.Frequency / bytesPerSecond;
    private readonly long _grace = clock.ToTimestampTicks(grace);
    private double _behind;

    /// <summary>The pace of a body of which only the time matters.</summary>
    public static ResponseBodyPace Until(long ends, MonotonicClock clock) => new(double.PositiveInfinity, TimeSpan.MaxValue, clock, ends);

    /// <summary>The pace of a body of which each byte may take as long as <paramref name="grace"/>.</summary>
    public static ResponseBodyPace Stalling(TimeSpan grace, MonotonicClock clock, long ends) => new(1 / grace.TotalSeconds, grace, clock, ends);

    /// <summary>Whether the time is over by which the body had to be there.</summary>
    public bool IsOver(long now) => now >= ends;

    /// <summary>Counts a wait between two timestamps.</summary>
    public void Waited(long from, long to) => _behind += Math.Max(0, to - from);

    /// <summary>Counts bytes that came.</summary>
    public void Came(int bytes) => _behind = Math.Max(0, _behind - (bytes * _ticksPerByte));

    /// <summary>How long a wait that began at <paramref name="from"/> may still take at <paramref name="now"/>; zero: it is over.</summary>
    public TimeSpan Left(long from, long now)
    {
        var left = _grace - _behind - Math.Max(0, now - from);
        if (ends != long.MaxValue)
        {
            left = Math.Min(left, ends - now);
        }

        return left <= 0 ? TimeSpan.Zero : clock.ToTimeSpan((long)Math.Ceiling(left));
    }
}
