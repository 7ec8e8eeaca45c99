using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using ResilientHost.Outbound;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers the layers of HTTP clients.</summary>
internal static class OutboundServiceCollectionExtensions
{
    public static IServiceCollection AddOutbound(this IServiceCollection services)
    {
        services.AddCertificateWatches();
        services.TryAddSingleton<OutboundClients>();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, OutboundClientStartup>());
        return services;
    }
}
