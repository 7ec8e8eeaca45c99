using ResilientHost.Telemetry;

namespace ResilientHost.CircuitBreaking;

/// <summary>One subscriber of <see cref="CircuitBreaker.Transitioned"/>.</summary>
internal sealed class CircuitListener(Action<CircuitTransition> handler, CircuitServices services, bool isOfHost = false)
    : BoundedListener<CircuitTransition>(handler, (transition, exception) => services.ListenerFailed?.Invoke(transition.Name, exception))
{
    /// <summary>Whether it is the registry's own, that hears of partitions by another way.</summary>
    public bool IsOfHost { get; } = isOfHost;
}
