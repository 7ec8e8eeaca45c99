using Microsoft.Extensions.DependencyInjection.Extensions;
using ResilientHost.Health;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers the suite's health checks.</summary>
internal static class HealthServiceCollectionExtensions
{
    // Names must be unique in the application, which has checks of its own.
    public static IServiceCollection AddResilienceHealth(this IServiceCollection services)
    {
        string[] tags = ["ready", "resilience"];
        services.AddHealthChecks()
            .AddCheck<ShutdownHealthCheck>("resilience-shutdown", tags: tags)
            .AddCheck<CircuitsHealthCheck>("resilience-circuits", tags: tags)
            .AddCheck<ServiceLevelHealthCheck>("resilience-service-level", tags: tags)
            .AddCheck<WorkersHealthCheck>("resilience-workers", tags: tags)
            .AddCheck<WorkItemsHealthCheck>("resilience-work-items", tags: tags)
            .AddCheck<IsolatedTasksHealthCheck>("resilience-isolated-tasks", tags: tags)
            .AddCheck<ProcessHealthCheck>("resilience-process", tags: tags);
        services.TryAddSingleton<ReadinessEndpoint>();
        return services;
    }
}
