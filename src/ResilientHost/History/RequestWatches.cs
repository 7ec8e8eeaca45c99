using ResilientHost.Pipeline;

namespace ResilientHost.History;

/// <summary>Where a request is counted for the history. Thread-safe.</summary>
internal sealed class RequestWatches
{
    private volatile CallWatch? _others;

    /// <summary>Counts requests to endpoints that have no circuit; <see langword="null"/> while no history is kept.</summary>
    public CallWatch? Others
    {
        get => _others;
        set => _others = value;
    }

    /// <summary>The watch of an endpoint's requests; <see langword="null"/> while no history is kept.</summary>
    public CallWatch? Of(EndpointPlan plan) => plan.CircuitBreaker is { } circuit ? circuit.Watch : _others;
}
