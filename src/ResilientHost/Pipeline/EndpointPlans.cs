using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.StaticAssets;
using ResilientHost.Degradation;

namespace ResilientHost.Pipeline;

/// <summary>Compiles and remembers the plan of each endpoint.</summary>
/// <remarks>Thread-safe. A plan lives as long as its endpoint: one that a dynamic source drops takes its plan along.</remarks>
internal sealed class EndpointPlans
{
    /// <summary>Distinct endpoint tags on metrics; further endpoints share <see cref="OverflowTag"/>.</summary>
    public const int MaxEndpointTags = 1000;

    public const string OverflowTag = "other";

    private readonly CircuitBreakerRegistry _circuitBreakers;
    private readonly BulkheadRegistry _bulkheads;
    private readonly EndpointFallbacksFactory _fallbacks;
    private readonly DegradationControl _degradation;
    private readonly EndpointSources _endpoints;
    private readonly ConditionalWeakTable<Endpoint, EndpointPlan> _plans = [];
    private readonly ConditionalWeakTable<Endpoint, EndpointPlan>.CreateValueCallback _compile;
    private readonly PlanTable _known = new();
    private readonly HashSet<string> _tags = new(StringComparer.Ordinal);
    private readonly Lock _gate = new();
    private IReadOnlyDictionary<Endpoint, string>? _twinsOf;
    private ILookup<string?, KeyValuePair<Endpoint, string>>? _twins;

    public EndpointPlans(CircuitBreakerRegistry circuitBreakers, BulkheadRegistry bulkheads, EndpointFallbacksFactory fallbacks, DegradationControl degradation, EndpointSources endpoints)
    {
        _circuitBreakers = circuitBreakers;
        _bulkheads = bulkheads;
        _fallbacks = fallbacks;
        _degradation = degradation;
        _endpoints = endpoints;
        _compile = Compile;
    }

    /// <summary>The endpoint's plan.</summary>
    /// <exception cref="KeyNotFoundException">An endpoint added after the start names a layer that configuration does not have.</exception>
    public EndpointPlan Of(Endpoint endpoint) => _known.Find(endpoint) ?? FirstOf(endpoint);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private EndpointPlan FirstOf(Endpoint endpoint)
    {
        // It holds the plan for as long as there is the endpoint; the other only finds it.
        var plan = _plans.GetValue(endpoint, _compile);
        _known.Add(plan);
        return plan;
    }

    private EndpointPlan Compile(Endpoint endpoint)
    {
        lock (_gate)
        {
            var key = KeyOf(endpoint);
            var layers = EndpointLayers.Read(endpoint.Metadata);
            var ours = IsOurs(endpoint);
            var exempt = !layers.AsksForLayers && (ours || IsLeftAlone(endpoint));
            if (layers.Criticality is not null)
            {
                _degradation.EndpointsSayCriticality = true;
            }

            var circuitBreaker = Resolve(layers.CircuitBreaker, _circuitBreakers.Get, _circuitBreakers.GetOrAddForEndpoint);
            var tag = _tags.Contains(key) || (_tags.Count < MaxEndpointTags && _tags.Add(key)) ? key : OverflowTag;
            return new EndpointPlan
            {
                Endpoint = endpoint,
                Key = key,
                Tag = tag,
                CircuitBreaker = circuitBreaker,
                Bulkhead = Resolve(layers.Bulkhead, _bulkheads.Get, _bulkheads.GetOrAddForEndpoint),
                Timeout = EndpointTimeout.OwnOf(endpoint, layers),
                TakesDefaultTimeout = layers.AutomaticLayers && !exempt && EndpointTimeout.TakesDefault(endpoint),
                HeedsDeadlines = !exempt && (layers.AutomaticLayers || layers.AsksForLayers),
                Fallbacks = IsHealthCheck(endpoint) ? null : _fallbacks.Create(endpoint, key, tag, layers, circuitBreaker),
                Criticality = ours ? null : layers.Criticality ?? (layers.AutomaticLayers && !exempt ? Criticality.Default : null),
                KeepsConnection = ours || layers.Criticality == Criticality.Critical,
                IsExempt = exempt && (ours || layers.Criticality is null),
                IsStreaming = IsStreaming(endpoint),
            };

            TLayer? Resolve<TLayer>(string? name, Func<string, TLayer> named, Func<string, TLayer> automatic)
                where TLayer : class =>
                name is not null ? named(name) : layers.AutomaticLayers && !exempt ? automatic(key) : null;
        }
    }

    private string KeyOf(Endpoint endpoint)
    {
        // Twins can only be told apart by looking at all endpoints. Sources may add some later: then they are looked at again.
        var keys = _endpoints.Keys;
        if (keys.TryGetValue(endpoint, out var key))
        {
            return key;
        }

        // Where routing could not be handed the endpoints that the services list, it has built its own: not the same object, but made of the same mapping.
        if (!ReferenceEquals(_twinsOf, keys))
        {
            (_twinsOf, _twins) = (keys, keys.ToLookup(static pair => pair.Key.DisplayName));
        }

        return _twins![endpoint.DisplayName].FirstOrDefault(pair => EndpointKey.AreOfOneMapping(pair.Key, endpoint)).Value ?? EndpointKey.Plain(endpoint);
    }

    /// <summary>Whether the endpoint tells or changes how the service is doing: it must work when nothing else does.</summary>
    public static bool IsOurs(Endpoint endpoint) =>
        endpoint.Metadata.GetMetadata<OperationsEndpointMetadata>() is not null || IsHealthCheck(endpoint);

    private static bool IsLeftAlone(Endpoint endpoint) =>
        endpoint.Metadata.GetMetadata<StaticAssetDescriptor>() is not null
        || (endpoint is not RouteEndpoint && endpoint.Metadata.Count == 0); // routing's own answers, such as 405

    // What MapHealthChecks() calls its endpoints; they carry no metadata of their own. Their 503 is an answer: one of a group's fallback in its place would keep a sick instance in service.
    private static bool IsHealthCheck(Endpoint endpoint) => endpoint.DisplayName == "Health checks";

    private static bool IsStreaming(Endpoint endpoint)
    {
        foreach (var item in endpoint.Metadata)
        {
            if (item is IProducesResponseTypeMetadata produces && produces.ContentTypes.Contains(StreamingResponse.EventStream, StringComparer.OrdinalIgnoreCase))
            {
                return true;
            }

            // By name, so that the suite does not depend on the gRPC packages.
            if (item.GetType().FullName == "Grpc.AspNetCore.Server.GrpcMethodMetadata")
            {
                return true;
            }
        }

        return false;
    }
}
