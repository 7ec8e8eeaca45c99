using System.Collections.Concurrent;
using ResilientHost.Hosting;

namespace ResilientHost.Outbound;

/// <summary>The HTTP clients of a host that have layers, by name without regard to case. Thread-safe; follows the settings.</summary>
internal sealed class OutboundClients(CircuitBreakerRegistry circuitBreakers, BulkheadRegistry bulkheads, MonotonicClock clock)
{
    private readonly ConcurrentDictionary<string, OutboundClient> _clients = new(StringComparer.OrdinalIgnoreCase);
    private readonly Lock _gate = new();
    private HttpClientSettings? _settings;

    /// <summary>A snapshot, by name.</summary>
    public IReadOnlyList<OutboundClient> All => [.. _clients.Values.OrderBy(client => client.Name, StringComparer.OrdinalIgnoreCase)];

    /// <summary>The client of a name; one that configuration does not name goes by its defaults.</summary>
    public OutboundClient GetOrAdd(string name)
    {
        if (_clients.TryGetValue(name, out var known))
        {
            return known;
        }

        // Under the lock of Apply, so that a client made during a reload has either the new options or gets them.
        lock (_gate)
        {
            if (!_clients.TryGetValue(name, out known))
            {
                var settings = _settings ?? throw new InvalidOperationException("The settings have not been applied yet.");
                known = new OutboundClient(name, OptionsOf(settings, name), settings.Enabled, circuitBreakers, bulkheads, clock);
                _clients[name] = known;
            }

            return known;
        }
    }

    /// <summary>Names that configuration has and no client goes by.</summary>
    /// <param name="registered">The names that clients go by.</param>
    public IReadOnlyList<string> Unused(IReadOnlySet<string> registered)
    {
        lock (_gate)
        {
            return _settings is not { } settings ? []
                : [.. settings.Named.Keys.Where(name => !registered.Contains(name) && !_clients.ContainsKey(name) && !settings.Bases.Contains(name)).Order(StringComparer.OrdinalIgnoreCase)];
        }
    }

    public void Apply(HttpClientSettings settings)
    {
        lock (_gate)
        {
            _settings = settings;
            foreach (var client in _clients.Values)
            {
                client.Apply(OptionsOf(settings, client.Name), settings.Enabled);
            }
        }
    }

    private static HttpClientResilienceOptions OptionsOf(HttpClientSettings settings, string name) => settings.Named.GetValueOrDefault(name, settings.Default);
}
