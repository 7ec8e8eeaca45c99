using Microsoft.Extensions.ObjectPool;
using ResilientHost.Hosting;
using ResilientHost.Timeouts;

namespace ResilientHost.Fallbacks;

/// <summary>Timeouts that wait for their next fallback. In an outage every request wants one, and its timer would be most of what running the fallback costs.</summary>
/// <remarks>Thread-safe. One that has fired, or that somebody may still look at, is disposed instead.</remarks>
internal sealed class FallbackTimeouts(MonotonicClock clock) : IDisposable
{
    // Those that end at once come one after the other; beyond this many at a time they are made and dropped.
    private const int MaxRetained = 64;

    private readonly ObjectPool<RequestTimeout> _pool = new DefaultObjectPoolProvider { MaximumRetained = MaxRetained }.Create(new Policy(clock));

    /// <summary>One that no request is inside of, until the lease is disposed.</summary>
    public Lease Rent() => new(_pool, _pool.Get());

    /// <summary>Stops the timers of those that wait, and of each that comes back.</summary>
    public void Dispose() => (_pool as IDisposable)?.Dispose();

    /// <summary>A timeout on loan. The default one is nobody's, and gives nothing back.</summary>
    internal readonly struct Lease(ObjectPool<RequestTimeout>? pool, RequestTimeout timeout) : IDisposable
    {
        public RequestTimeout Timeout => timeout;

        public void Dispose() => pool?.Return(timeout);
    }

    private sealed class Policy(MonotonicClock clock) : PooledObjectPolicy<RequestTimeout>
    {
        public override RequestTimeout Create() => new(clock);

        public override bool Return(RequestTimeout obj) => obj is { MayBeReused: true, IsRunning: false };
    }
}
