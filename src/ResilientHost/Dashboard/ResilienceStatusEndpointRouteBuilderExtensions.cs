using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using ResilientHost.Dashboard;
using ResilientHost.Pipeline;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Maps the state of the layers as JSON.</summary>
public static class ResilienceStatusEndpointRouteBuilderExtensions
{
    /// <summary>Maps <c>GET {path}/status</c>: the service level with its signals, every circuit breaker and bulkhead of this instance as it stands now, and what the fallbacks of each endpoint have done.</summary>
    /// <param name="endpoints">The route builder.</param>
    /// <param name="path">Path under which the endpoint lives. Default: <c>/resilience</c>.</param>
    /// <returns>A builder for the endpoint's conventions, such as <c>RequireAuthorization("ops")</c>.</returns>
    /// <remarks>
    /// Outside Development the endpoint needs an authorization policy or an explicit <c>AllowAnonymous()</c>; with neither the
    /// application does not start. No layer stands before it. Who is not authenticated does not read by which keys circuits are told apart: a number stands for each.
    /// </remarks>
    /// <exception cref="InvalidOperationException"><c>AddResilienceLayers()</c> was not called.</exception>
    public static IEndpointConventionBuilder MapResilienceStatus(this IEndpointRouteBuilder endpoints, string path = "/resilience")
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        ArgumentNullException.ThrowIfNull(path);
        var services = endpoints.ServiceProvider.GetService<DashboardServices>()
            ?? throw new InvalidOperationException("MapResilienceStatus() needs the services of the layers. Call builder.AddResilienceLayers() before builder.Build().");
        var status = DashboardEndpoints.MapStatus(endpoints.MapGroup(path.TrimEnd('/')), services);
        DashboardEndpoints.MarkAsOurs(status, new OperationsEndpointMetadata($"MapResilienceStatus(\"{path}\")"));
        return status;
    }
}
