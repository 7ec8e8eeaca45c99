using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using ResilientHost;
using ResilientHost.Fallbacks;
using ResilientHost.Hosting;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers the fallback slice.</summary>
internal static class FallbackServiceCollectionExtensions
{
    public static IServiceCollection AddFallbacks(this IServiceCollection services)
    {
        services.TryAddSingleton<FallbackMetrics>();
        services.TryAddSingleton<FallbackLog>();
        services.TryAddSingleton<FallbackAuthorization>();
        services.AddFallbackBinding();
        services.TryAddSingleton<IStaleResponseStore>(static provider => new MemoryStaleResponseStore(
            provider.GetRequiredService<MonotonicClock>(), provider.GetRequiredService<Func<FallbackPolicy>>()().MaxStaleStoreBytes));
        services.TryAddSingleton(static provider =>
        {
            var policy = provider.GetRequiredService<Func<FallbackPolicy>>();
            return new StaleResponses(
                provider.GetRequiredService<IStaleResponseStore>(),
                provider.GetRequiredService<MonotonicClock>(),
                provider.GetRequiredService<ILogger<StaleResponses>>(),
                () => policy().MaxStaleResponseBytes);
        });
        services.TryAddSingleton<FallbackRunner>();
        return services;
    }
}
