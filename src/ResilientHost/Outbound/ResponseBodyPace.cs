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
internal sealed class ResponseBodyPace(double bytesPerSecond, TimeSpan grace, MonotonicClock clock)
{
    private readonly double _ticksPerByte = clock.Frequency / bytesPerSecond;
    private readonly long _grace = clock.ToTimestampTicks(grace);
    private double _behind;

    /// <summary>Counts a wait between two timestamps.</summary>
    public void Waited(long from, long to) => _behind += Math.Max(0, to - from);

    /// <summary>Counts bytes that came.</summary>
    public void Came(int bytes) => _behind = Math.Max(0, _behind - (bytes * _ticksPerByte));

    /// <summary>How long a wait that began at <paramref name="from"/> may still take at <paramref name="now"/>; zero: it is over.</summary>
    public TimeSpan Left(long from, long now)
    {
        var left = _grace - _behind - Math.Max(0, now - from);
        return left <= 0 ? TimeSpan.Zero : clock.ToTimeSpan((long)Math.Ceiling(left));
    }
}
