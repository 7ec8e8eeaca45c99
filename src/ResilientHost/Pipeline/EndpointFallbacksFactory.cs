using System.Collections.Concurrent;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using ResilientHost.Fallbacks;
using ResilientHost.Hosting;

namespace ResilientHost.Pipeline;

/// <summary>Makes an endpoint's fallbacks of what its metadata says, and checks at start that they can be made.</summary>
internal sealed class EndpointFallbacksFactory(
    FallbackBinder binder, FallbackAuthorization authorization, StaleResponses staleResponses, ResilienceSettingsSource settings, MonotonicClock clock)
{
    private readonly ConcurrentDictionary<string, FallbackUse> _uses = new(StringComparer.Ordinal);

    /// <summary>What the fallbacks of all endpoints do.</summary>
    public IEnumerable<FallbackUse> Uses => _uses.Values;

    /// <summary>The fallbacks; <see langword="null"/> when the endpoint asks for none.</summary>
    /// <exception cref="InvalidOperationException">An endpoint added after the start asks for one that it cannot have.</exception>
    public EndpointFallbacks? Create(Endpoint endpoint, string key, string tag, in EndpointLayers layers, CircuitBreaker? circuitBreaker)
    {
        if (layers is { Fallback: null, StaleFallback: null })
        {
            return null;
        }

        var errors = new List<string>();
        var handler = layers.Fallback is { } fallback ? binder.Bind(endpoint, fallback, errors) : null;
        if (errors.Count > 0)
        {
            throw new InvalidOperationException(string.Join(Environment.NewLine, errors));
        }

        var required = authorization.RequiredBy(endpoint);
        var stale = layers.StaleFallback is { } metadata
            ? new StaleFallback(endpoint, key, metadata, required != RequiredAuthorization.None, staleResponses)
            : null;
        return new(key, tag, handler, stale, required, UseOf(key, circuitBreaker));
    }

    /// <summary>What is wrong with what an endpoint asks for.</summary>
    /// <param name="endpoint">The endpoint.</param>
    /// <param name="key">Its key.</param>
    /// <param name="layers">What it asks for.</param>
    /// <param name="circuitBreaker">The circuit that it names, if there is one.</param>
    /// <param name="errors">Takes what cannot be.</param>
    /// <param name="idle">Takes what can be, but will never do anything: a group may ask for more than each of its endpoints can use.</param>
    public void Check(Endpoint endpoint, string key, in EndpointLayers layers, CircuitBreaker? circuitBreaker, ICollection<string> errors, ICollection<string> idle)
    {
        if (layers is { Fallback: null, StaleFallback: null })
        {
            return;
        }

        _ = UseOf(key, circuitBreaker);
        if (layers.Fallback is { } fallback)
        {
            _ = binder.Bind(endpoint, fallback, errors);
        }

        if (layers.StaleFallback is { } stale)
        {
            foreach (var error in StaleFallback.Errors(endpoint, stale))
            {
                errors.Add(error);
            }

            if (authorization.RequiredBy(endpoint) != RequiredAuthorization.None)
            {
                idle.Add($"{key} (it needs authorization)");
            }
            else if (endpoint.Metadata.GetMetadata<IHttpMethodMetadata>() is { HttpMethods: { Count: > 0 } methods } && !methods.Any(HttpMethods.IsGet))
            {
                idle.Add($"{key} (it answers no GET)");
            }
        }
    }

    private FallbackUse UseOf(string key, CircuitBreaker? circuitBreaker)
    {
        var use = _uses.GetOrAdd(key, static (key, argument) => new(key, argument.Policy, argument.Provider), (Policy: settings.Current.Fallbacks, clock.Provider));

        // An endpoint's own circuit is made by its first request, after the check.
        use.CircuitBreaker = circuitBreaker ?? use.CircuitBreaker;
        return use;
    }
}
