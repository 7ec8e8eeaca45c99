namespace ResilientHost.Signals;

/// <summary>Turns readings of a counter into increments per second.</summary>
/// <remarks>Not thread-safe. Mutable struct: keep it in a field that is not read-only.</remarks>
internal struct RateMeter(long frequency)
{
    private bool _hasLast;
    private long _lastTime;
    private long _lastCount;

    /// <summary>The rate since the last reading; <see cref="double.NaN"/> at the first one, when the counter went back, and when no time has passed.</summary>
    /// <param name="now">Timestamp of the reading.</param>
    /// <param name="count">The counter; negative when it could not be read, which leaves the last reading in place.</param>
    public double Next(long now, long count)
    {
        if (count < 0 || (_hasLast && now <= _lastTime))
        {
            return double.NaN;
        }

        var rate = _hasLast && count >= _lastCount ? (count - _lastCount) * (double)frequency / (now - _lastTime) : double.NaN;
        (_hasLast, _lastTime, _lastCount) = (true, now, count);
        return rate;
    }
}
