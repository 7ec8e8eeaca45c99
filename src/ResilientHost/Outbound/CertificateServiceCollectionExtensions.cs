using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using ResilientHost.Hosting;
using ResilientHost.Outbound;
using ResilientHost.Telemetry;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers what watches the certificates of the servers that HTTP clients call.</summary>
internal static class CertificateServiceCollectionExtensions
{
    public static IServiceCollection AddCertificateWatches(this IServiceCollection services)
    {
        services.AddMetrics();
        services.TryAddSingleton<ResilienceMeter>();
        services.TryAddSingleton(provider => new CertificateTelemetry(
            provider.GetService<ILogger<CertificateTelemetry>>() ?? NullLogger<CertificateTelemetry>.Instance,
            provider.GetRequiredService<MonotonicClock>(),
            provider.GetRequiredService<ResilienceMeter>()));
        services.TryAddSingleton<CertificateWatches>();
        return services;
    }
}
