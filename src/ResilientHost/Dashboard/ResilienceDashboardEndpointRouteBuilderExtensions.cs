using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using ResilientHost.Dashboard;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Maps the live dashboard of the layers.</summary>
public static class ResilienceDashboardEndpointRouteBuilderExtensions
{
    /// <summary>Maps the page at <paramref name="path"/>, and what it lives on: <c>GET status</c>, <c>history</c>, <c>events</c> (server-sent), <c>configuration</c> and <c>openapi.json</c> under it.</summary>
    /// <param name="endpoints">The route builder.</param>
    /// <param name="path">Path under which the endpoints live. Default: <c>/resilience</c>.</param>
    /// <returns>A builder for the conventions of all of them, such as <c>RequireAuthorization("ops")</c>.</returns>
    /// <remarks>
    /// <para>
    /// Outside Development the endpoints need an authorization policy or an explicit <c>AllowAnonymous()</c>; with neither the application does not start. Who is not authenticated then reads
    /// neither keys of circuits nor texts of events. No layer stands before them, and none of their answers is cached.
    /// </para>
    /// <para>
    /// Operating is another right: outside Development this call maps no operation, and the page offers none until <c>MapResilienceOperations(path).RequireAuthorization("on-call")</c> does under the same path. In Development the operations
    /// are mapped along, under the same conventions; without a policy they serve callers on this machine alone.
    /// </para>
    /// <para>
    /// Pages that are kept up to date are limited in number (<c>Resilience:Dashboard:MaxStreams</c>, <c>MaxStreamsPerUser</c>). While nobody looks nothing is read; the history that the page shows is recorded from the start on
    /// (<c>Resilience:Dashboard:KeepHistory</c>).
    /// </para>
    /// </remarks>
    /// <exception cref="InvalidOperationException"><c>AddResilienceLayers()</c> was not called.</exception>
    public static IEndpointConventionBuilder MapResilienceDashboard(this IEndpointRouteBuilder endpoints, string path = "/resilience")
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        ArgumentNullException.ThrowIfNull(path);
        if (endpoints.ServiceProvider.GetService<DashboardServices>() is not { } services)
        {
            throw new InvalidOperationException("MapResilienceDashboard() needs the services of the layers. Call builder.AddResilienceLayers() before builder.Build().");
        }

        return DashboardEndpoints.Map(endpoints, path, services);
    }
}
