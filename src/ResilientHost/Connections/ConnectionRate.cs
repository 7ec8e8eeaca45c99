using ResilientHost.Hosting;

namespace ResilientHost.Connections;

/// <summary>So many connections per second: a token bucket that holds one second's worth and is full at first.</summary>
/// <remarks>Thread-safe. A change of the rate keeps what is in the bucket, as far as it fits.</remarks>
internal sealed class ConnectionRate(MonotonicClock clock)
{
    private readonly Lock _gate = new();
    private double _tokens = double.MaxValue;
    private long _filledAt;

    public bool Take(int perSecond)
    {
        var now = clock.Timestamp();
        lock (_gate)
        {
            // Two callers may get here in the other order than they read the clock.
            if (now > _filledAt)
            {
                _tokens += clock.Elapsed(_filledAt, now).TotalSeconds * perSecond;
                _filledAt = now;
            }

            _tokens = Math.Min(_tokens, perSecond);
            if (_tokens < 1)
            {
                return false;
            }

            _tokens--;
            return true;
        }
    }
}
