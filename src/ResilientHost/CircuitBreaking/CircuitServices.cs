using ResilientHost.Hosting;

namespace ResilientHost.CircuitBreaking;

/// <summary>What breakers share: the clock, the source of jitter, and who hears of listeners that throw.</summary>
/// <remarks>Immutable and thread-safe.</remarks>
internal sealed class CircuitServices
{
    public CircuitServices(TimeProvider? timeProvider, Random? random = null, Action<string, Exception>? listenerFailed = null)
    {
        Clock = new MonotonicClock(timeProvider);
        Random = random ?? Random.Shared;
        ListenerFailed = listenerFailed;

        // A window asks for it only when threads meet, long after its code was compiled for good. (A bulkhead asks with its first call.)
        NearbyProcessor.Prepare();
    }

    public MonotonicClock Clock { get; }

    public Random Random { get; }

    /// <summary>Told the breaker's name and the exception of a listener; on a thread-pool thread.</summary>
    public Action<string, Exception>? ListenerFailed { get; }
}
