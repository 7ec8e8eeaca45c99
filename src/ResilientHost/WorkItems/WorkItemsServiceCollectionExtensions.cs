using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using ResilientHost.DeadLetters;
using ResilientHost.Hosting;
using ResilientHost.Telemetry;
using ResilientHost.WorkItems;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers the slice of work items.</summary>
internal static class WorkItemsServiceCollectionExtensions
{
    /// <summary>Adds what <see cref="ResilientHost.WorkerContext"/>'s <c>ProcessAsync</c> needs beside the workers themselves.</summary>
    /// <remarks>Needs an <see cref="ResilientHost.IDeadLetterSink"/>, unless every processing names one of its own.</remarks>
    public static IServiceCollection AddWorkItems(this IServiceCollection services)
    {
        services.AddMetrics();
        services.TryAddSingleton<ResilienceMeter>();
        services.TryAddSingleton<WorkItemMetrics>();
        services.TryAddSingleton<DeadLetterMetrics>();
        services.TryAddSingleton(provider => new WorkItemLog(
            provider.GetService<ILogger<WorkItemLog>>() ?? NullLogger<WorkItemLog>.Instance,
            new MonotonicClock(provider.GetService<TimeProvider>())));
        services.TryAddSingleton(provider => new WorkItemServices(
            provider.GetRequiredService<WorkItemMetrics>(),
            provider.GetRequiredService<DeadLetterMetrics>(),
            provider.GetRequiredService<WorkItemLog>(),
            provider.GetService<IHostApplicationLifetime>()));
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, WorkItemShutdown>(provider => new WorkItemShutdown(
            provider.GetRequiredService<WorkItemServices>(),
            new MonotonicClock(provider.GetService<TimeProvider>()))));
        return services;
    }
}
