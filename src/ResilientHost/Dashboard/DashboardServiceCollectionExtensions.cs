using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace ResilientHost.Dashboard;

/// <summary>Registration of the slice.</summary>
internal static class DashboardServiceCollectionExtensions
{
    public static IServiceCollection AddDashboard(this IServiceCollection services)
    {
        services.TryAddSingleton<ResilienceInstance>();
        services.TryAddSingleton<ResilienceStatusReader>();
        services.TryAddSingleton<HistoryAnswers>();
        services.TryAddSingleton<StatusFeedSources>();
        services.TryAddSingleton<StatusStreams>();
        services.TryAddSingleton<ConfigurationReader>();
        services.TryAddSingleton<OperationAudit>();
        services.TryAddSingleton<OperationGuard>();
        services.TryAddSingleton<OperationAttempts>();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<MatcherPolicy, YieldingEndpoints>());
        services.TryAddSingleton<LevelOperation>();
        services.TryAddSingleton<CircuitOperation>();
        services.TryAddSingleton<DashboardServices>();
        return services;
    }
}
