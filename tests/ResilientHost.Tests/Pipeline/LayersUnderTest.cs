using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace ResilientHost.Tests.Pipeline;

/// <summary>All layers as the host builds them, outermost catch included, around the endpoint that a request already has. No server, no routing.</summary>
internal static class LayersUnderTest
{
    public static RequestDelegate Build(IServiceProvider services)
    {
        var app = new ApplicationBuilder(services);
        Action<IApplicationBuilder> configure = static app =>
        {
            app.UseResilienceLayers();
            app.Run(static context => context.GetEndpoint()!.RequestDelegate!(context));
        };
        foreach (var filter in services.GetServices<IStartupFilter>())
        {
            configure = filter.Configure(configure);
        }

        configure(app);
        return app.Build();
    }

    /// <summary>An endpoint. It needs metadata: one without any is an answer of routing's own.</summary>
    public static Endpoint Endpoint(RequestDelegate endpoint, string name, params object[] metadata) => new(endpoint, new EndpointMetadataCollection([name, .. metadata]), name);
}
