using ResilientHost.Telemetry;

namespace ResilientHost.CircuitBreaking;

/// <summary>One subscriber of <see cref="CircuitBreaker.Transitioned"/>.</summary>
internal sealed class CircuitListener(Action<CircuitTransition> handler, CircuitServices services)
    : BoundedListener<CircuitTransition>(handler, (transition, exception) => services.ListenerFailed?.Invoke(transition.Name, exception));
