using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc.Controllers;

namespace ResilientHost.Pipeline;

/// <summary>What an endpoint's metadata asks for, before any name is looked up.</summary>
internal readonly record struct EndpointLayers
{
    public string? CircuitBreaker { get; init; }

    public string? Bulkhead { get; init; }

    public IFallbackMetadata? Fallback { get; init; }

    public IStaleFallbackMetadata? StaleFallback { get; init; }

    public ITimeoutMetadata? Timeout { get; init; }

    /// <summary>What the endpoint says of its importance; no layer by itself.</summary>
    public Criticality? Criticality { get; init; }

    /// <summary>Layers that the endpoint does not ask for: its own breaker and bulkhead, the default timeout.</summary>
    public bool AutomaticLayers { get; init; }

    public bool AsksForLayers =>
        CircuitBreaker is not null || Bulkhead is not null || Fallback is not null || StaleFallback is not null || Timeout is not null;

    /// <summary>Reads metadata in order: later entries are closer to the endpoint and win.</summary>
    public static EndpointLayers Read(EndpointMetadataCollection metadata)
    {
        var layers = new EndpointLayers { AutomaticLayers = true };

        // MVC puts an action's attributes first and what MapControllers() was told last, so order alone would let the general
        // beat the particular. There, conventions are read first and attributes over them.
        if (metadata.GetMetadata<ControllerActionDescriptor>() is not null)
        {
            return layers.With(metadata, attributes: false).With(metadata, attributes: true);
        }

        foreach (var item in metadata)
        {
            layers = layers.With(item);
        }

        return layers;
    }

    private EndpointLayers With(EndpointMetadataCollection metadata, bool attributes)
    {
        var layers = this;
        foreach (var item in metadata)
        {
            if (item is Attribute == attributes)
            {
                layers = layers.With(item);
            }
        }

        return layers;
    }

    private EndpointLayers With(object item) => item switch
    {
        // One attribute class may carry several of the metadata interfaces, so this is not a switch over them.
        IDisableResilienceMetadata => default,
        _ => this with
        {
            CircuitBreaker = (item as ICircuitBreakerMetadata)?.Name ?? CircuitBreaker,
            Bulkhead = (item as IBulkheadMetadata)?.Name ?? Bulkhead,
            Fallback = item as IFallbackMetadata ?? Fallback,
            StaleFallback = item as IStaleFallbackMetadata ?? StaleFallback,
            Timeout = item as ITimeoutMetadata ?? Timeout,
            Criticality = (item as ICriticalityMetadata)?.Criticality ?? Criticality,
        },
    };
}
