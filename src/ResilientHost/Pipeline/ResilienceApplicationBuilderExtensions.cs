using Microsoft.Extensions.DependencyInjection;
using ResilientHost.Pipeline;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Puts the resilience layers into the request pipeline.</summary>
public static class ResilienceApplicationBuilderExtensions
{
    private const string UsedProperty = "ResilientHost.LayersAreUsed";

    /// <summary>Adds the layers around every endpoint: bulkhead, circuit breaker and recovery, in their fixed order.</summary>
    /// <param name="app">The application.</param>
    /// <returns><paramref name="app"/>.</returns>
    /// <remarks>
    /// Belongs after <c>UseRouting</c>, <c>UseCors</c>, <c>UseAuthentication</c>, <c>UseAuthorization</c>, <c>UseRateLimiter</c> and
    /// <c>UseOutputCache</c>; a <c>WebApplication</c> puts routing and authorization before it by itself. Idempotent: a further call
    /// changes nothing.
    /// </remarks>
    /// <exception cref="InvalidOperationException"><c>AddResilienceLayers()</c> was not called.</exception>
    public static IApplicationBuilder UseResilienceLayers(this IApplicationBuilder app)
    {
        ArgumentNullException.ThrowIfNull(app);
        var placement = app.ApplicationServices.GetService<PipelinePlacement>()
            ?? throw new InvalidOperationException("UseResilienceLayers() needs the services of the layers. Call builder.AddResilienceLayers() before builder.Build().");
        placement.LayersAreUsed = true;
        if (app.Properties.TryAdd(UsedProperty, true))
        {
            app.UseMiddleware<ResilienceMiddleware>();
        }

        return app;
    }
}
