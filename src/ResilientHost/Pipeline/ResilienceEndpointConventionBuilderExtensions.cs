using ResilientHost;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Per-endpoint layers. Each has an attribute twin; all are plain endpoint metadata.</summary>
/// <remarks>What an endpoint says of itself beats what its group or <c>MapControllers()</c> says.</remarks>
public static class ResilienceEndpointConventionBuilderExtensions
{
    /// <summary>Puts the endpoint behind the circuit breaker of that name.</summary>
    /// <param name="builder">The endpoint or group.</param>
    /// <param name="name">A name under <c>Resilience:CircuitBreakers</c>; unknown names are an error at start.</param>
    /// <typeparam name="TBuilder">The kind of endpoint or group.</typeparam>
    /// <returns><paramref name="builder"/>.</returns>
    /// <exception cref="ArgumentException"><paramref name="name"/> is empty.</exception>
    public static TBuilder WithCircuitBreaker<TBuilder>(this TBuilder builder, string name)
        where TBuilder : IEndpointConventionBuilder =>
        builder.WithLayer(new CircuitBreakerMetadata(PolicyName.Checked(name)));

    /// <summary>Puts the endpoint behind the bulkhead of that name.</summary>
    /// <param name="builder">The endpoint or group.</param>
    /// <param name="name">A name under <c>Resilience:Bulkheads</c>; unknown names are an error at start.</param>
    /// <typeparam name="TBuilder">The kind of endpoint or group.</typeparam>
    /// <returns><paramref name="builder"/>.</returns>
    /// <exception cref="ArgumentException"><paramref name="name"/> is empty.</exception>
    public static TBuilder WithBulkhead<TBuilder>(this TBuilder builder, string name)
        where TBuilder : IEndpointConventionBuilder =>
        builder.WithLayer(new BulkheadMetadata(PolicyName.Checked(name)));

    /// <summary>Takes every layer but recovery off the endpoint.</summary>
    /// <param name="builder">The endpoint or group.</param>
    /// <typeparam name="TBuilder">The kind of endpoint or group.</typeparam>
    /// <returns><paramref name="builder"/>.</returns>
    public static TBuilder DisableResilience<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder =>
        builder.WithLayer(new DisableResilienceMetadata());

    private static TBuilder WithLayer<TBuilder>(this TBuilder builder, object metadata)
        where TBuilder : IEndpointConventionBuilder
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Add(endpoint => endpoint.Metadata.Add(metadata));
        return builder;
    }
}
