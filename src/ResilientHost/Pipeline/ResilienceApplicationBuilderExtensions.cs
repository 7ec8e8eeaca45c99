using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using ResilientHost.Pipeline;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Puts the resilience layers into the request pipeline.</summary>
public static class ResilienceApplicationBuilderExtensions
{
    private const string UsedProperty = "ResilientHost.LayersAreUsed";

    // What UseRouting() leaves for UseEndpoints(); a WebApplication that did not call it maps by itself.
    private const string RoutesProperty = "__EndpointRouteBuilder";

    /// <summary>Adds the layers around every endpoint: recovery, fallback, bulkhead, circuit breaker and timeout, in their fixed order.</summary>
    /// <param name="app">The application.</param>
    /// <returns><paramref name="app"/>.</returns>
    /// <remarks>
    /// Belongs after <c>UseRouting</c>, <c>UseCors</c>, <c>UseAuthentication</c>, <c>UseAuthorization</c>, <c>UseRateLimiter</c> and
    /// <c>UseOutputCache</c>; a <c>WebApplication</c> puts routing and authorization before it by itself. Idempotent: a further call
    /// changes nothing. A branch with routing of its own (<c>app.Map("/admin", …)</c>) needs a call of its own; no request enters the layers of its endpoint twice.
    /// </remarks>
    /// <exception cref="InvalidOperationException"><c>AddResilienceLayers()</c> was not called.</exception>
    public static IApplicationBuilder UseResilienceLayers(this IApplicationBuilder app)
    {
        ArgumentNullException.ThrowIfNull(app);
        var placement = app.ApplicationServices.GetService<PipelinePlacement>()
            ?? throw new InvalidOperationException("UseResilienceLayers() needs the services of the layers. Call builder.AddResilienceLayers() before builder.Build().");

        // A branch starts with a copy of the properties, but may have routing of its own, and then needs an entrance of its own.
        if (!app.Properties.TryGetValue(UsedProperty, out var used) || !ReferenceEquals(used, app))
        {
            app.Properties[UsedProperty] = app;
            placement.Entrances++;
            app.UseMiddleware<ResilienceMiddleware>();
            ShareEndpoints(app);
        }

        return app;
    }

    // Inside of routing, so built before it, and no part of a request.
    private static void ShareEndpoints(IApplicationBuilder app)
    {
        var sources = app.ApplicationServices.GetRequiredService<EndpointSources>();
        sources.MappedBy(app.Properties.TryGetValue(RoutesProperty, out var routes) ? routes as IEndpointRouteBuilder : app as IEndpointRouteBuilder);
        app.Use(next =>
        {
            sources.Share();
            return next;
        });
    }
}
