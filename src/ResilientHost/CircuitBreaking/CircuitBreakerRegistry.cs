using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

using ResilientHost.Callers;
using ResilientHost.CircuitBreaking;
using ResilientHost.Telemetry;

namespace ResilientHost;

/// <summary>The circuit breakers of a host: those that configuration names, and the automatic ones of its endpoints.</summary>
/// <remarks>
/// A singleton of the service provider; thread-safe. A reload applies to the breakers in place, so they keep their state and
/// whoever holds one need not ask again. A name that vanishes from configuration keeps its breaker and its last options.
/// </remarks>
public sealed partial class CircuitBreakerRegistry : IDisposable
{
    /// <summary>Most automatic breakers; endpoints beyond share one. Routes are finite, but a dynamic endpoint source need not be.</summary>
    internal const int MaxEndpoints = 10_000;

    private readonly ConcurrentDictionary<string, CircuitBreaker> _named = new(StringComparer.OrdinalIgnoreCase);
    private readonly ConcurrentDictionary<string, CircuitBreaker> _endpoints = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, CircuitBreaker> _outbound = new(StringComparer.OrdinalIgnoreCase);
    private readonly Lock _lock = new();
    private readonly ILogger _logger;
    private readonly CircuitServices _services;
    private readonly CircuitBreakerMetrics _metrics;
    private readonly CircuitPartitionTelemetry _partitionTelemetry;
    private CircuitPolicy _forEndpoints;
    private CircuitBreaker? _other;
    private Action<CircuitBreaker, bool>? _made;
    private Action<CircuitBreaker, CircuitTransition>? _moved;

    internal CircuitBreakerRegistry(TimeProvider? timeProvider, ILogger<CircuitBreakerRegistry> logger, ResilienceMeter meter, Random? random = null)
    {
        _logger = logger;
        _services = new CircuitServices(timeProvider, random, (name, exception) => Log.ListenerFailed(_logger, exception, name));
        _forEndpoints = CircuitPolicy.Create(CircuitNames.Other, new CircuitBreakerOptions { Mode = CircuitMode.Shadow }, _services.Clock);
        _metrics = new CircuitBreakerMetrics(meter, () => All);
        _partitionTelemetry = new CircuitPartitionTelemetry(_metrics, logger, _services);
    }

    /// <summary>Names of the breakers that configuration knows or knew, in ordinal order.</summary>
    public IReadOnlyCollection<string> Names => [.. _named.Keys.Order(StringComparer.OrdinalIgnoreCase)];

    /// <summary>All breakers at this moment: named, automatic, and those of outbound calls.</summary>
    public IReadOnlyList<CircuitBreaker> All =>
        [.. _named.Values, .. _endpoints.Values, .. _outbound.Values, .. Volatile.Read(ref _other) is { } other ? new[] { other } : []];

    /// <summary>The breaker of a configured name.</summary>
    /// <param name="name">The name, in its exact spelling.</param>
    /// <returns>The breaker; the same one for the life of the host.</returns>
    /// <exception cref="KeyNotFoundException">Configuration has no such name; the message lists the names there are.</exception>
    public CircuitBreaker Get(string name)
    {
        if (TryGet(name, out var breaker))
        {
            return breaker;
        }

        var names = Names;
        throw new KeyNotFoundException(names.Count == 0
            ? $"There is no circuit breaker '{name}': configuration names none."
            : $"There is no circuit breaker '{name}'. Configuration names: {string.Join(", ", names)}.");
    }

    /// <summary>Looks for the breaker of a configured name.</summary>
    /// <param name="name">The name, in its exact spelling.</param>
    /// <param name="breaker">The breaker.</param>
    /// <returns>Whether there is one.</returns>
    public bool TryGet(string name, [NotNullWhen(true)] out CircuitBreaker? breaker)
    {
        ArgumentNullException.ThrowIfNull(name);
        return _named.TryGetValue(name, out breaker);
    }

    /// <summary>Writes what is still only counted. Called by the service container; breakers go on working.</summary>
    public void Dispose() => _partitionTelemetry.Dispose();

    /// <summary>Tells of every breaker, those that there are already first, and of their changes. To be asked for once.</summary>
    /// <param name="made">Told the breaker, and whether outbound calls are behind it; under the registry's lock.</param>
    /// <param name="moved">Told as any listener is: on the thread pool, one change at a time of each breaker. Changes of partitions are not among them.</param>
    internal void Observe(Action<CircuitBreaker, bool> made, Action<CircuitBreaker, CircuitTransition> moved)
    {
        lock (_lock)
        {
            (_made, _moved) = (made, moved);
            foreach (var breaker in All)
            {
                Tell(breaker, isOutbound: _outbound.TryGetValue(breaker.Name, out var outbound) && outbound == breaker);
            }
        }
    }

    /// <summary>The automatic breaker of an endpoint; endpoints beyond the cap share one.</summary>
    internal CircuitBreaker GetOrAddForEndpoint(string endpointKey)
    {
        if (_endpoints.TryGetValue(endpointKey, out var known))
        {
            return known;
        }

        lock (_lock)
        {
            if (_endpoints.TryGetValue(endpointKey, out known))
            {
                return known;
            }

            if (_endpoints.Count >= MaxEndpoints)
            {
                return _other ??= Make(CircuitNames.Other, _forEndpoints, isOutbound: false);
            }

            return _endpoints[endpointKey] = Make(endpointKey, _forEndpoints, isOutbound: false);
        }
    }

    /// <summary>The breaker of an HTTP client (<c>http:name</c>), a circuit for each authority, or of other calls by name (<c>call:name</c>), one circuit.</summary>
    /// <param name="layerName">The layer's name.</param>
    /// <param name="options">Valid options; what it goes by from now on, if it is there already.</param>
    /// <param name="byAuthority">Whether it has a circuit for each authority. The same for all calls with that name.</param>
    internal CircuitBreaker ApplyOutbound(string layerName, CircuitBreakerOptions options, bool byAuthority)
    {
        var policy = CircuitPolicy.Create(layerName, options, _services.Clock);
        lock (_lock)
        {
            if (_outbound.TryGetValue(layerName, out var known))
            {
                known.Apply(policy);
                known.Partitions?.Apply(policy);
                return known;
            }

            var made = Make(layerName, policy, isOutbound: true);
            if (byAuthority)
            {
                Part(made);
            }

            return _outbound[layerName] = made;
        }
    }

    /// <summary>Brings the breakers in line with configuration: new names are made, changed ones changed in place, the rest left alone.</summary>
    /// <exception cref="OptionsValidationException">Some options are invalid; tells every error of every breaker, and nothing was changed.</exception>
    internal void Apply(CircuitBreakerSettings settings)
    {
        var errors = settings.Named
            .SelectMany(entry => CircuitBreakerOptionsValidator.Errors(entry.Key, entry.Value))
            .Concat(CircuitBreakerOptionsValidator.Errors("(endpoints)", settings.ForEndpoints))
            .ToList();
        if (errors.Count > 0)
        {
            throw new OptionsValidationException(Options.DefaultName, typeof(CircuitBreakerOptions), errors);
        }

        lock (_lock)
        {
            foreach (var (name, options) in settings.Named)
            {
                var policy = CircuitPolicy.Create(name, options, _services.Clock);
                if (_named.TryGetValue(name, out var breaker))
                {
                    Apply(breaker, policy);
                }
                else
                {
                    _named[name] = Make(name, policy, isOutbound: false);
                }
            }

            _forEndpoints = CircuitPolicy.Create(CircuitNames.Other, settings.ForEndpoints, _services.Clock);
            if (_other is not null)
            {
                Apply(_other, _forEndpoints);
            }

            foreach (var breaker in _endpoints.Values)
            {
                Apply(breaker, _forEndpoints);
            }
        }
    }

    private CircuitBreaker Make(string name, CircuitPolicy policy, bool isOutbound)
    {
        var breaker = new CircuitBreaker(name, policy, _services);

        // Two listeners with a queue each: a log sink that blocks must not blind the metrics.
        breaker.ListenForHost(_metrics.Count);
        breaker.ListenForHost(transition => Write(transition, breaker.Policy.Mode));
        Part(breaker, policy);
        Tell(breaker, isOutbound);
        return breaker;
    }

    private void Tell(CircuitBreaker breaker, bool isOutbound)
    {
        if (_moved is { } moved)
        {
            breaker.ListenForHost(transition => moved(breaker, transition));
        }

        _made?.Invoke(breaker, isOutbound);
    }

    private void Apply(CircuitBreaker breaker, CircuitPolicy policy)
    {
        var before = breaker.Policy.Partition;
        breaker.Apply(policy);
        if (breaker.Partitions is { } partitions && IsSameKindOfKey(before, policy.Partition))
        {
            partitions.Apply(policy);
        }
        else
        {
            Part(breaker, policy);
        }
    }

    private void Part(CircuitBreaker breaker, CircuitPolicy policy)
    {
        if (policy.Partition is null)
        {
            breaker.Partitions = null;
        }
        else
        {
            Part(breaker);
        }
    }

    private void Part(CircuitBreaker breaker) =>
        breaker.Partitions = new CircuitBreakerPartitions<string>(breaker, breaker.Policy, _services, _partitionTelemetry.ListenersOf(breaker), StringComparer.Ordinal);

    // Code that configures the options again at each reload may make another delegate of the same lambda: what the circuits know outlives that.
    private static bool IsSameKindOfKey(CallerSelector? before, CallerSelector? after) =>
        after is not null && before is not null && before.Key == after.Key && (before.Code is null) == (after.Code is null);

    private void Write(CircuitTransition transition, CircuitMode mode)
    {
        switch (transition)
        {
            case { Cause: CircuitTransitionCause.Manual }:
                Log.Moved(_logger, transition.Name, transition.From, transition.To, transition.Era, transition.At);
                break;
            case { To: CircuitState.Open } when mode is CircuitMode.Shadow or CircuitMode.Disabled:
                Log.WouldHaveOpened(_logger, transition.Name, transition.Cause, transition.Era, transition.At, transition.TraceId ?? "-");
                break;
            case { To: CircuitState.Open }:
                Log.Opened(_logger, transition.Name, transition.Cause, transition.Era, transition.At, transition.TraceId ?? "-");
                break;
            case { To: CircuitState.HalfOpen }:
                Log.HalfOpened(_logger, transition.Name, transition.Era, transition.At);
                break;
            default:
                Log.Closed(_logger, transition.Name, transition.Cause, transition.Era, transition.At);
                break;
        }
    }
}
