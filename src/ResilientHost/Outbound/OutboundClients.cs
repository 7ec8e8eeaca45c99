using System.Collections.Concurrent;
using ResilientHost.Hosting;

namespace ResilientHost.Outbound;

/// <summary>The HTTP clients of a host that have layers, by name without regard to case. Thread-safe; follows the settings.</summary>
internal sealed class OutboundClients(MonotonicClock clock)
{
    private readonly ConcurrentDictionary<string, OutboundClient> _clients = new(StringComparer.OrdinalIgnoreCase);
    private readonly Lock _gate = new();
    private HttpClientSettings? _settings;

    /// <summary>A snapshot.</summary>
    public IReadOnlyList<OutboundClient> All => [.. _clients.Values];

    /// <summary>The client of a name; one that configuration does not name goes by its defaults.</summary>
    public OutboundClient GetOrAdd(string name)
    {
        if (_clients.TryGetValue(name, out var known))
        {
            return known;
        }

        lock (_gate)
        {
            return _clients.GetOrAdd(name, new OutboundClient(name, PolicyOf(name), clock));
        }
    }

    public void Apply(HttpClientSettings settings)
    {
        lock (_gate)
        {
            _settings = settings;
            foreach (var client in _clients.Values)
            {
                client.Apply(PolicyOf(client.Name));
            }
        }
    }

    private HttpClientPolicy PolicyOf(string name) => new(_settings!.Named.GetValueOrDefault(name, _settings.Default), _settings.Enabled);
}
