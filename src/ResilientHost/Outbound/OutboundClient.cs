using ResilientHost.Bulkheads;
using ResilientHost.Hosting;

namespace ResilientHost.Outbound;

/// <summary>One HTTP client by the name that its layers go by: its policy, and the authorities that it calls. One for the life of the host, however many handlers come and go. Thread-safe.</summary>
internal sealed class OutboundClient
{
    /// <summary>What authorities are called that there is no room for.</summary>
    public const string Shared = "other";

    private readonly OutboundAuthorities _authorities;
    private readonly CircuitBreakerRegistry _circuitBreakers;
    private readonly BulkheadRegistry _bulkheads;
    private volatile HttpClientPolicy _policy;
    private (HttpClientResilienceOptions Options, bool Enabled) _applied;

    public OutboundClient(string name, HttpClientResilienceOptions options, bool enabled, CircuitBreakerRegistry circuitBreakers, BulkheadRegistry bulkheads, MonotonicClock clock)
    {
        Name = name;
        LayerName = $"http:{name}";
        _circuitBreakers = circuitBreakers;
        _bulkheads = bulkheads;
        _applied = (options, enabled);
        _policy = new(options, enabled);
        CircuitBreaker = circuitBreakers.ApplyOutbound(LayerName, options.CircuitBreaker, byAuthority: true);
        Bulkhead = bulkheads.ApplyOutbound(LayerName, options.Bulkhead);
        _authorities = new(CircuitBreaker.Partitions!, Bulkhead, () => _policy.Retry, clock);
    }

    public string Name { get; }

    /// <summary>What refusals, events and telemetry call its layers: endpoints and clients may share a name.</summary>
    public string LayerName { get; }

    /// <summary>What is in force; a call takes it once.</summary>
    public HttpClientPolicy Policy => _policy;

    /// <summary>The whole of its circuits: people speak to it, calls go to those of their authorities.</summary>
    public CircuitBreaker CircuitBreaker { get; }

    /// <summary>The sums of its bulkheads.</summary>
    public BulkheadGroup Bulkhead { get; }

    /// <summary>What it has done so far. Whoever makes an attempt counts it.</summary>
    public OutboundClientCounts Counts { get; } = new();

    /// <summary>How many authorities it keeps at present, the shared one not counted.</summary>
    public int AuthorityCount => _authorities.Count;

    /// <summary>The authority that a request goes to; made if need be, shared by those that there is no room for. To be asked for each call.</summary>
    /// <param name="uri">An absolute URI.</param>
    /// <exception cref="InvalidOperationException">The URI is relative.</exception>
    public OutboundAuthority Of(Uri uri) => _authorities.Of(uri);

    /// <summary>As <see cref="Of"/>, but makes none, and does not count as use.</summary>
    public OutboundAuthority? Find(Uri uri) => _authorities.Find(uri);

    /// <summary>For people: those whose circuit is not closed, then the busiest.</summary>
    /// <param name="max">How many at most.</param>
    public IReadOnlyList<OutboundAuthority> Authorities(int max = 100) =>
        [.. _authorities.All
            .Select(authority => (authority, IsClosed: authority.CircuitBreaker.State == CircuitState.Closed, Load: authority.Bulkhead.Snapshot(), authority.Budget.Calls))
            .OrderBy(entry => entry.IsClosed)
            .ThenByDescending(entry => entry.Load.InFlight + entry.Load.Queued)
            .ThenByDescending(entry => entry.Calls)
            .ThenBy(entry => entry.authority.Authority, StringComparer.Ordinal)
            .Take(max)
            .Select(entry => entry.authority)];

    /// <summary>Goes by other options from now on; circuits and bulkheads keep their state. The same instance changes nothing.</summary>
    /// <param name="options">Valid options that nobody changes any more.</param>
    /// <param name="enabled">Whether the suite and the layer are on.</param>
    public void Apply(HttpClientResilienceOptions options, bool enabled)
    {
        if (ReferenceEquals(options, _applied.Options) && enabled == _applied.Enabled)
        {
            return;
        }

        _applied = (options, enabled);
        _circuitBreakers.ApplyOutbound(LayerName, options.CircuitBreaker, byAuthority: true);
        _bulkheads.ApplyOutbound(LayerName, options.Bulkhead);
        _policy = new(options, enabled);
    }
}
