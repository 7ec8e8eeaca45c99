using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using ResilientHost.Bulkheads;
using ResilientHost.Hosting;
using ResilientHost.Telemetry;

namespace ResilientHost;

/// <summary>The bulkheads of a host: those that configuration names, and one that only measures for each endpoint without a named one.</summary>
/// <remarks>
/// A singleton of the service container; thread-safe. Names are compared without regard to case, as configuration does. On reload a bulkhead whose
/// options did not change is left alone, and one whose name vanished keeps its last options, for endpoints may still hold it.
/// </remarks>
public sealed class BulkheadRegistry : IDisposable
{
    /// <summary>Endpoints beyond this number share one bulkhead.</summary>
    internal const int MaxEndpoints = 10_000;

    /// <summary>Name of the bulkhead that endpoints beyond <see cref="MaxEndpoints"/> share.</summary>
    internal const string OverflowName = "other";

    private readonly Lock _changing = new();
    private readonly ConcurrentDictionary<string, Bulkhead> _named = new(StringComparer.OrdinalIgnoreCase);
    private readonly ConcurrentDictionary<string, Bulkhead> _endpoints = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, BulkheadGroup> _groups = new(StringComparer.OrdinalIgnoreCase);
    private readonly MonotonicClock _clock;
    private readonly BulkheadTelemetry _telemetry;
    private IReadOnlyCollection<string> _names = [];
    private BulkheadPolicy _endpointPolicy = BulkheadPolicy.From(OverflowName, BulkheadSettings.Default.ForEndpoints);
    private Bulkhead? _overflow;
    private int _endpointCount;

    internal BulkheadRegistry(ResilienceMeter meter, ILogger<BulkheadRegistry> logger, MonotonicClock clock)
    {
        _clock = clock;
        _telemetry = new BulkheadTelemetry(new BulkheadMetrics(meter, () => All, () => _groups.Values), logger, clock, _groups.GetValueOrDefault);
    }

    /// <summary>Names that configuration has at present, sorted.</summary>
    public IReadOnlyCollection<string> Names => Volatile.Read(ref _names);

    /// <summary>Every bulkhead there is, named and automatic; a snapshot.</summary>
    public IReadOnlyList<Bulkhead> All =>
        [.. _named.Values, .. _endpoints.Values, .. Volatile.Read(ref _overflow) is { } overflow ? [overflow] : Array.Empty<Bulkhead>()];

    /// <summary>Bulkheads of outbound clients and calls, each of which stands for those of its authorities.</summary>
    internal IReadOnlyList<BulkheadGroup> Groups => [.. _groups.Values];

    /// <summary>The bulkhead of that name.</summary>
    /// <param name="name">A name that configuration has.</param>
    /// <returns>The one instance, shared by all that name it.</returns>
    /// <exception cref="KeyNotFoundException">Configuration has no such name; the message lists the names there are.</exception>
    public Bulkhead Get(string name) =>
        TryGet(name, out var bulkhead) ? bulkhead : throw new KeyNotFoundException(
            $"There is no bulkhead '{name}'. Names in configuration (Resilience:Bulkheads): {(Names.Count == 0 ? "none" : string.Join(", ", Names))}.");

    /// <summary>The bulkhead of that name, if there is one.</summary>
    /// <param name="name">The name.</param>
    /// <param name="bulkhead">The one instance, shared by all that name it.</param>
    /// <returns>Whether there is one.</returns>
    public bool TryGet(string name, [NotNullWhen(true)] out Bulkhead? bulkhead)
    {
        ArgumentNullException.ThrowIfNull(name);
        return _named.TryGetValue(name, out bulkhead);
    }

    /// <summary>Ends the summing up of refusals. The bulkheads stay usable.</summary>
    public void Dispose() => _telemetry.Dispose();

    /// <summary>The automatic bulkhead of an endpoint.</summary>
    internal Bulkhead GetOrAddForEndpoint(string endpointKey)
    {
        if (_endpoints.TryGetValue(endpointKey, out var existing))
        {
            return existing;
        }

        // Under the lock of Apply, so that a bulkhead made during a reload has either the new options or gets them.
        lock (_changing)
        {
            if (_endpoints.TryGetValue(endpointKey, out existing))
            {
                return existing;
            }

            if (_endpointCount == MaxEndpoints)
            {
                return _overflow ??= Create(OverflowName, _endpointPolicy);
            }

            _endpointCount++;
            return _endpoints[endpointKey] = Create(endpointKey, _endpointPolicy);
        }
    }

    /// <summary>The bulkheads of an HTTP client (<c>http:name</c>) or of other calls by name (<c>call:name</c>).</summary>
    /// <param name="layerName">The layer's name.</param>
    /// <param name="options">Valid options; what they go by from now on, if they are there already.</param>
    internal BulkheadGroup ApplyOutbound(string layerName, BulkheadOptions options)
    {
        var policy = BulkheadPolicy.From(layerName, options);
        lock (_changing)
        {
            if (_groups.TryGetValue(layerName, out var known))
            {
                known.Apply(policy);
                return known;
            }

            return _groups[layerName] = new BulkheadGroup(layerName, policy, _clock, _telemetry);
        }
    }

    /// <summary>Takes settings over, at start and on reload: all of them, or none if any is invalid.</summary>
    /// <exception cref="OptionsValidationException">Something is invalid; carries every error.</exception>
    internal void Apply(BulkheadSettings settings)
    {
        ThrowIfInvalid(settings);
        lock (_changing)
        {
            foreach (var (name, options) in settings.Named)
            {
                var policy = BulkheadPolicy.From(name, options);
                if (!_named.TryGetValue(name, out var bulkhead))
                {
                    bulkhead = Create(name, policy);
                    Divide(bulkhead, policy);
                    _named[name] = bulkhead;
                }
                else if (ApplyIfChanged(bulkhead, policy))
                {
                    Divide(bulkhead, policy);
                    _telemetry.Changed(bulkhead);
                }
            }

            Volatile.Write(ref _names, [.. settings.Named.Keys.Order(StringComparer.OrdinalIgnoreCase)]);
            _endpointPolicy = BulkheadPolicy.From(OverflowName, settings.ForEndpoints);
            foreach (var (_, bulkhead) in _endpoints)
            {
                ApplyIfChanged(bulkhead, _endpointPolicy);
            }

            if (_overflow is not null)
            {
                ApplyIfChanged(_overflow, _endpointPolicy);
            }
        }
    }

    private static bool ApplyIfChanged(Bulkhead bulkhead, BulkheadPolicy policy)
    {
        if (bulkhead.Policy == policy)
        {
            return false;
        }

        bulkhead.Apply(policy);
        return true;
    }

    private static void ThrowIfInvalid(BulkheadSettings settings)
    {
        List<string> failures = [.. settings.Named.SelectMany(static named => BulkheadOptionsValidator.Errors(named.Key, named.Value))];
        failures.AddRange(BulkheadOptionsValidator.Errors("Default", settings.ForEndpoints));
        if (failures.Count > 0)
        {
            throw new OptionsValidationException("Bulkheads", typeof(BulkheadOptions), failures);
        }
    }

    /// <summary>Callers keep what they have of a bulkhead over a reload, also when they are told apart in another way.</summary>
    private void Divide(Bulkhead bulkhead, BulkheadPolicy policy)
    {
        if (policy.Partition is null)
        {
            bulkhead.Shares = null;
        }
        else if (bulkhead.Shares is { } shares)
        {
            shares.Apply(policy);
        }
        else
        {
            bulkhead.Shares = new FairShare(bulkhead, policy, _clock, _telemetry);
        }
    }

    private Bulkhead Create(string name, BulkheadPolicy policy) => new(name, policy, _clock, _telemetry);
}
