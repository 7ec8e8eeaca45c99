using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using ResilientHost.Dashboard;
using ResilientHost.Hosting;

namespace ResilientHost.Pipeline;

internal static class PipelineServiceCollectionExtensions
{
    public static IServiceCollection AddPipeline(this IServiceCollection services)
    {
        services.TryAddSingleton(static provider => new MonotonicClock(provider.GetRequiredService<TimeProvider>()));
        services.TryAddSingleton<LayerGates>();
        services.TryAddSingleton<CallerPartitions>();
        services.TryAddSingleton<EndpointSources>();
        services.TryAddSingleton<EndpointPlans>();
        services.TryAddSingleton<EndpointFallbacksFactory>();
        services.TryAddSingleton<EndpointInvoker>();
        services.TryAddSingleton<RequestFallbacks>();
        services.TryAddSingleton<RequestStatePool>();
        services.TryAddSingleton<RequestMetrics>();
        services.TryAddSingleton<RequestCompletions>();
        services.TryAddSingleton<PipelinePlacement>();
        services.AddDashboard();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IStartupFilter, RecoveryStartupFilter>());
        return services;
    }
}
