using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace ResilientHost.Pipeline;

internal static class EndpointServiceProviderExtensions
{
    /// <summary>Every endpoint of the app; none where routing is not registered (a plain generic host).</summary>
    public static IReadOnlyList<Endpoint> GetEndpoints(this IServiceProvider services) =>
        services.GetService<EndpointSources>()?.All ?? services.GetService<EndpointDataSource>()?.Endpoints ?? [];
}
