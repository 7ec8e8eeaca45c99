using ResilientHost.Hosting;

namespace ResilientHost.CircuitBreaking;

/// <summary>What breakers share: the clock, the source of jitter, and who hears of listeners that throw.</summary>
/// <remarks>Immutable and thread-safe.</remarks>
internal sealed class CircuitServices(TimeProvider? timeProvider, Random? random = null, Action<string, Exception>? listenerFailed = null)
{
    public MonotonicClock Clock { get; } = new(timeProvider);

    public Random Random { get; } = random ?? Random.Shared;

    /// <summary>Told the breaker's name and the exception of a listener; on a thread-pool thread.</summary>
    public Action<string, Exception>? ListenerFailed { get; } = listenerFailed;
}
