using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using ResilientHost.Dashboard;
using ResilientHost.Pipeline;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Maps what the people on call can do to the layers.</summary>
public static class ResilienceOperationsEndpointRouteBuilderExtensions
{
    /// <summary>Maps <c>POST {path}/level</c>, which sets the service level of this instance by hand, and <c>POST {path}/circuit-breakers/isolate</c>, <c>reset</c> and <c>force-open</c>.</summary>
    /// <param name="endpoints">The route builder.</param>
    /// <param name="path">Path under which the endpoints live. Default: <c>/resilience</c>.</param>
    /// <returns>A builder for the endpoints' conventions, such as <c>RequireAuthorization("on-call")</c>.</returns>
    /// <remarks>
    /// <para>The body of <c>level</c> is JSON: <c>{ "level": "essential", "expiresIn": "00:30:00" }</c>. <c>level</c> is <c>normal</c>, <c>reduced</c>, <c>essential</c> or <c>survival</c>, or <c>null</c> to end an
    /// override; <c>expiresIn</c> is a duration above zero, at most 1 day, and 1 hour when left out. The answer is the level in force.</para>
    /// <para>The body of the others is <c>{ "name": "checkout", "key": null }</c>: the circuit's name in its exact spelling and, for one that tells callers or authorities apart, the key of one circuit; without a key all of them.
    /// <c>force-open</c> takes a <c>duration</c>, too: above zero, at most 1 day; the circuit's own break when left out. The answer is the circuit as the status shows it: its <c>mode</c> tells whether the state refuses calls. What would change nothing
    /// (forcing an isolated circuit open, or resetting one that its mode holds open) answers 409.</para>
    /// <para>With <c>instance</c>, another replica than the one named (as its status says) answers 409 and does nothing. Every operation is logged with who did it, and so is what was refused.</para>
    /// <para>Outside Development the endpoints need an authorization policy of their own, and <c>AllowAnonymous()</c> is refused: without one the application does not start. In Development an endpoint without a policy serves callers on this
    /// machine alone. A browser's request from another origin is refused with 403, whoever sends it. No layer stands before them.</para>
    /// </remarks>
    /// <exception cref="InvalidOperationException"><c>AddResilienceLayers()</c> was not called.</exception>
    public static IEndpointConventionBuilder MapResilienceOperations(this IEndpointRouteBuilder endpoints, string path = "/resilience")
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        ArgumentNullException.ThrowIfNull(path);
        var services = endpoints.ServiceProvider.GetService<DashboardServices>()
            ?? throw new InvalidOperationException("MapResilienceOperations() needs the services of the layers. Call builder.AddResilienceLayers() before builder.Build().");
        return DashboardEndpoints.MapOperations(endpoints.MapGroup(path.TrimEnd('/')), services, new OperationsEndpointMetadata($"MapResilienceOperations(\"{path}\")"));
    }
}
