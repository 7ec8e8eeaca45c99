using Microsoft.Extensions.DependencyInjection.Extensions;
using ResilientHost.Timeouts;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers the timeout slice.</summary>
internal static class TimeoutServiceCollectionExtensions
{
    public static IServiceCollection AddTimeouts(this IServiceCollection services)
    {
        services.TryAddSingleton<TimeoutMetrics>();
        services.TryAddSingleton<TimeoutLog>();
        return services;
    }
}
