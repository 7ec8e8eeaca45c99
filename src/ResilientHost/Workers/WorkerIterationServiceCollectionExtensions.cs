using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using ResilientHost;
using ResilientHost.Hosting;
using ResilientHost.Recovery;
using ResilientHost.Telemetry;
using ResilientHost.Workers;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers what the contexts of workers share.</summary>
internal static class WorkerIterationServiceCollectionExtensions
{
    /// <summary>Adds <see cref="WorkerServices"/>, without which there is no <see cref="WorkerContext"/>.</summary>
    /// <remarks>
    /// Needs <see cref="Func{TResult}"/> of <see cref="WorkerSettings"/> and of <see cref="RecoveryPolicy"/>, <see cref="IWorkerEvents"/>, and the registries of circuit breakers and
    /// bulkheads. Without <see cref="IServiceLevel"/> nothing pauses for a level.
    /// </remarks>
    public static IServiceCollection AddWorkerIterations(this IServiceCollection services)
    {
        services.AddMetrics();
        services.TryAddSingleton<ResilienceMeter>();
        services.TryAddSingleton<WorkerIterationMetrics>();
        services.TryAddSingleton(provider => new WorkerIterationLog(
            provider.GetService<ILogger<WorkerIterationLog>>() ?? NullLogger<WorkerIterationLog>.Instance,
            provider.GetRequiredService<Func<RecoveryPolicy>>(),
            new MonotonicClock(provider.GetService<TimeProvider>())));
        services.TryAddSingleton(provider => new WorkerServices(
            new MonotonicClock(provider.GetService<TimeProvider>()),
            provider.GetRequiredService<Func<WorkerSettings>>(),
            provider.GetRequiredService<CircuitBreakerRegistry>(),
            provider.GetRequiredService<BulkheadRegistry>(),
            provider.GetService<IServiceLevel>(),
            provider.GetRequiredService<WorkerIterationMetrics>(),
            provider.GetRequiredService<WorkerIterationLog>(),
            provider.GetRequiredService<IWorkerEvents>(),
            Random.Shared));
        return services;
    }
}
