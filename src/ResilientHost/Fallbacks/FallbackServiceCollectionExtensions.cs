using Microsoft.Extensions.DependencyInjection.Extensions;
using ResilientHost.Fallbacks;

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
        services.TryAddSingleton<FallbackRunner>();
        return services;
    }
}
