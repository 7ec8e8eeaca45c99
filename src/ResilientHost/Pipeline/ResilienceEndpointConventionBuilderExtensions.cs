using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.Http;
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

    /// <summary>Answers with <paramref name="fallback"/> when the endpoint throws, is refused, times out or is about to answer 500 or above.</summary>
    /// <param name="builder">The endpoint or group.</param>
    /// <param name="fallback">
    /// Bound like a route handler (route, query, services, body), and a <see cref="FallbackContext"/> by type. What it returns must be something that the endpoint could return.
    /// </param>
    /// <typeparam name="TBuilder">The kind of endpoint or group.</typeparam>
    /// <returns><paramref name="builder"/>.</returns>
    /// <remarks>
    /// Checked at start. It runs before the response has started only, in a bulkhead and under a timeout of its own (<c>Resilience:Fallbacks</c>), and has no fallback itself; the circuit breaker records
    /// the original failure. On an endpoint with authorization it runs only where authorization has run for the request. Filters of the endpoint do not run around it. The answer carries
    /// <c>Resilience-Fallback: delegate</c> and <c>Cache-Control: no-store</c>. A body that it binds is kept while the endpoint reads it, up to 64 KiB; of a larger one the fallback is skipped.
    /// <para>
    /// It has given an answer when it returns one below 500, a 404 too. When it throws, takes too long or answers 500 or above itself, that is logged and a stale response is looked for, then the caller
    /// gets the problem. An exception that <c>Resilience:Recovery:StatusCodes</c> maps below 500 is an answer of the endpoint and runs no fallback. Of several fallbacks on one endpoint the last one counts.
    /// </para>
    /// </remarks>
    /// <exception cref="ArgumentException"><paramref name="fallback"/> is a <see cref="RequestDelegate"/> whose method returns a result that would be dropped.</exception>
    [RequiresUnreferencedCode("The fallback is bound by reflection. Use the overload that takes a RequestDelegate in trimmed applications.")]
    [RequiresDynamicCode("The fallback is bound by generated code. Use the overload that takes a RequestDelegate in native AOT applications.")]
    public static TBuilder WithFallback<TBuilder>(this TBuilder builder, Delegate fallback)
        where TBuilder : IEndpointConventionBuilder
    {
        ArgumentNullException.ThrowIfNull(fallback);
        return fallback is RequestDelegate handler ? builder.WithFallback(handler) : builder.WithLayer(new FallbackMetadata(fallback));
    }

    /// <summary>Answers with <paramref name="fallback"/> when the endpoint throws, is refused, times out or is about to answer 500 or above. Safe in trimmed and native AOT applications.</summary>
    /// <param name="builder">The endpoint or group.</param>
    /// <param name="fallback">Writes the answer itself. Why it runs stands in the <see cref="FallbackContext"/> among the request's features. The request's body may have been read.</param>
    /// <typeparam name="TBuilder">The kind of endpoint or group.</typeparam>
    /// <returns><paramref name="builder"/>.</returns>
    /// <remarks>As the overload that takes a <see cref="Delegate"/>.</remarks>
    /// <exception cref="ArgumentException">The method of <paramref name="fallback"/> returns a result that would be dropped.</exception>
    public static TBuilder WithFallback<TBuilder>(this TBuilder builder, RequestDelegate fallback)
        where TBuilder : IEndpointConventionBuilder
    {
        ArgumentNullException.ThrowIfNull(fallback);
        if (fallback.Method.ReturnType.IsGenericType)
        {
            throw new ArgumentException(
                $"The fallback '{fallback.Method.Name}' returns a result, but as a RequestDelegate it would be dropped. Cast it to the delegate it is, such as (Func<HttpContext, Task<IResult>>).",
                nameof(fallback));
        }

        return builder.WithLayer(new FallbackMetadata(fallback));
    }

    /// <summary>Answers with the last good response while the endpoint cannot answer.</summary>
    /// <param name="builder">The endpoint or group.</param>
    /// <param name="maxAge">How old the response may be: 1 s to 7 days.</param>
    /// <param name="queryKeys">The query keys on which the response depends. None given: those that the handler binds; all of them, where that cannot be told.</param>
    /// <typeparam name="TBuilder">The kind of endpoint or group.</typeparam>
    /// <returns><paramref name="builder"/>.</returns>
    /// <remarks>
    /// Kept is the last answer 200 to a GET, at most every tenth of <paramref name="maxAge"/>, per host, route values, query keys and what <c>Vary</c> names, in the <see cref="IStaleResponseStore"/>. Never
    /// kept nor served: for authenticated users, endpoints with authorization, requests with <c>Cookie</c> or <c>Authorization</c>; never kept: responses with <c>Set-Cookie</c>,
    /// <c>Cache-Control: no-store</c> or <c>private</c>, <c>Vary: *</c>, <c>Content-Encoding</c>, or a body over <see cref="FallbackOptions.MaxStaleResponseBytes"/>. A stale answer carries
    /// <c>Resilience-Fallback: stale</c>, <c>Age</c> and <c>Cache-Control: no-store</c>. Where the endpoint has a fallback as well, that one comes first, so the stale response is for the case that it fails, too.
    /// <para>
    /// On endpoints for other methods than GET and HEAD it has no effect. Any cookie counts, also one of another application on the same host: pages that shall be helped by it ask without credentials.
    /// </para>
    /// </remarks>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="maxAge"/> is not within 1 s to 7 days.</exception>
    public static TBuilder WithStaleFallback<TBuilder>(this TBuilder builder, TimeSpan maxAge, params string[] queryKeys)
        where TBuilder : IEndpointConventionBuilder
    {
        ArgumentNullException.ThrowIfNull(queryKeys);
        ArgumentOutOfRangeException.ThrowIfLessThan(maxAge, TimeSpan.FromSeconds(1));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(maxAge, TimeSpan.FromDays(7));
        return builder.WithLayer(new StaleFallbackMetadata(maxAge, queryKeys.Length == 0 ? null : queryKeys));
    }

    /// <summary>Limits how long the endpoint may take until its response starts.</summary>
    /// <param name="builder">The endpoint or group.</param>
    /// <param name="timeout">More than zero and at most one day; <see cref="Timeout.InfiniteTimeSpan"/> takes <c>Resilience:Timeouts:Default</c> off the endpoint.</param>
    /// <typeparam name="TBuilder">The kind of endpoint or group.</typeparam>
    /// <returns><paramref name="builder"/>.</returns>
    /// <remarks>
    /// The timeout cancels <see cref="HttpContext.RequestAborted"/>. An endpoint that then returns without a response is answered with 504; one that does not return within
    /// <see cref="TimeoutOptions.Grace"/> loses its connection (HTTP/2 and HTTP/3: its stream). One that ignores the token and begins its answer within the grace is late: its answer goes out, no fallback runs,
    /// and the circuit breaker records a failure. Where the framework's own request timeout stands on the same endpoint, ours steps aside, and nothing limits the endpoint unless
    /// <c>UseRequestTimeouts()</c> is in the pipeline. Off under a debugger.
    /// </remarks>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="timeout"/> is out of bounds.</exception>
    public static TBuilder WithTimeout<TBuilder>(this TBuilder builder, TimeSpan timeout)
        where TBuilder : IEndpointConventionBuilder
    {
        if (timeout != Timeout.InfiniteTimeSpan)
        {
            ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(timeout, TimeSpan.Zero);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(timeout, TimeSpan.FromDays(1));
        }

        return builder.WithLayer(new TimeoutMetadata(timeout));
    }

    /// <summary>Says how much the endpoint matters when the service cannot serve every request.</summary>
    /// <param name="builder">The endpoint or group.</param>
    /// <param name="criticality">Endpoints that say nothing are <see cref="Criticality.Default"/>.</param>
    /// <typeparam name="TBuilder">The kind of endpoint or group.</typeparam>
    /// <returns><paramref name="builder"/>.</returns>
    /// <remarks>
    /// What degradation turns down is answered with 503 and code <c>shed</c>, or by the endpoint's fallback. A caller may lower its request's criticality by the header
    /// <c>Resilience-Criticality</c>; one of <c>Resilience:TrustedCallers</c> may raise it, too.
    /// </remarks>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="criticality"/> is not one of the enumeration's values.</exception>
    public static TBuilder WithCriticality<TBuilder>(this TBuilder builder, Criticality criticality)
        where TBuilder : IEndpointConventionBuilder =>
        builder.WithLayer(new CriticalityMetadata(CriticalityMetadata.Checked(criticality)));

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
