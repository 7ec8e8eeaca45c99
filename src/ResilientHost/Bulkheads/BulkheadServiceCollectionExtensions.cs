using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using ResilientHost.Hosting;
using ResilientHost.Telemetry;

namespace ResilientHost.Bulkheads;

internal static class BulkheadServiceCollectionExtensions
{
    /// <summary>Registers the bulkheads of the host. Their settings come by <see cref="BulkheadRegistry.Apply"/>.</summary>
    public static IServiceCollection AddBulkheads(this IServiceCollection services)
    {
        services.AddLogging();
        services.AddMetrics();
        services.TryAddSingleton<ResilienceMeter>();
        services.TryAddSingleton(static provider => new MonotonicClock(provider.GetService<TimeProvider>()));
        services.TryAddSingleton(static provider => new BulkheadRegistry(
            provider.GetRequiredService<ResilienceMeter>(),
            provider.GetRequiredService<ILogger<BulkheadRegistry>>(),
            provider.GetRequiredService<MonotonicClock>()));
        return services;
    }
}
