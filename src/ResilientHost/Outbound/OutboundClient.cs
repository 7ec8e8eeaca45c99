using ResilientHost.Hosting;

namespace ResilientHost.Outbound;

/// <summary>One HTTP client by the name that its layers go by: its policy, and the authorities that it calls. One for the life of the host, however many handlers come and go. Thread-safe.</summary>
internal sealed class OutboundClient
{
    private readonly OutboundAuthority _only;
    private volatile HttpClientPolicy _policy;

    public OutboundClient(string name, HttpClientPolicy policy, MonotonicClock clock)
    {
        Name = name;
        _policy = policy;
        _only = new(
            "other",
            new CircuitBreaker(LayerName, policy.CircuitBreaker, clock.Provider),
            new Bulkhead(LayerName, policy.Bulkhead, clock.Provider),
            new RetryBudget(clock, () => Policy.Retry));
    }

    public string Name { get; }

    /// <summary>What refusals, events and telemetry call its layers: endpoints and clients may share a name.</summary>
    public string LayerName => $"http:{Name}";

    /// <summary>What is in force; a call takes it once.</summary>
    public HttpClientPolicy Policy => _policy;

    /// <summary>The authority that a request goes to; made if need be, shared by those that there is no room for.</summary>
    public OutboundAuthority Of(Uri uri)
    {
        ArgumentNullException.ThrowIfNull(uri);
        return _only;
    }

    /// <summary>Goes by other options from now on; breakers and bulkheads keep their state.</summary>
    public void Apply(HttpClientPolicy policy) => _policy = policy;
}
