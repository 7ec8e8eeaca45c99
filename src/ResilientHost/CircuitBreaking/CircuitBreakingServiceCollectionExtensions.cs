using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

using ResilientHost.Telemetry;

namespace ResilientHost.CircuitBreaking;

/// <summary>Registration of the slice.</summary>
internal static class CircuitBreakingServiceCollectionExtensions
{
    /// <summary>Adds the registry. The clock is the registered <see cref="TimeProvider"/>, else the system's.</summary>
    public static IServiceCollection AddCircuitBreaking(this IServiceCollection services)
    {
        services.AddMetrics();
        services.TryAddSingleton<ResilienceMeter>();
        services.TryAddSingleton(provider => new CircuitBreakerRegistry(
            provider.GetService<TimeProvider>(),
            provider.GetService<ILogger<CircuitBreakerRegistry>>() ?? NullLogger<CircuitBreakerRegistry>.Instance,
            provider.GetRequiredService<ResilienceMeter>()));
        return services;
    }
}
