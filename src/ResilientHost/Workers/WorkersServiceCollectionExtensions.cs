using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using ResilientHost;
using ResilientHost.Hosting;
using ResilientHost.Recovery;
using ResilientHost.Telemetry;
using ResilientHost.Workers;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers the workers slice.</summary>
internal static class WorkersServiceCollectionExtensions
{
    /// <summary>Adds what supervises workers and hosted services. Needs <see cref="Func{TResult}"/> of <see cref="WorkerSettings"/> and of <see cref="RecoveryPolicy"/> from the configuration.</summary>
    public static IServiceCollection AddWorkers(this IServiceCollection services)
    {
        services.AddLogging();
        services.AddMetrics();
        services.TryAddSingleton(static provider => new MonotonicClock(provider.GetService<TimeProvider>()));
        services.TryAddSingleton<ResilienceMeter>();
        services.TryAddSingleton<RecoveredExceptions>();
        services.TryAddSingleton<WorkerCatalogue>();
        services.TryAddSingleton<HostFaults>();
        services.TryAddSingleton<WorkerGiveUp>();
        services.TryAddSingleton<WorkerLog>();
        services.TryAddSingleton(static provider =>
        {
            var catalogue = provider.GetRequiredService<WorkerCatalogue>();
            return new WorkerSupervisionMetrics(provider.GetRequiredService<ResilienceMeter>(), () => catalogue.All);
        });
        services.TryAddSingleton(static provider =>
        {
            var giveUp = provider.GetRequiredService<WorkerGiveUp>();
            return new WorkerTelemetry(provider.GetRequiredService<WorkerLog>(), provider.GetRequiredService<WorkerSupervisionMetrics>(), giveUp.ActionOf, giveUp.Execute);
        });
        services.TryAddSingleton<IWorkerEvents>(static provider => provider.GetRequiredService<WorkerTelemetry>());
        services.TryAddSingleton(static provider => new WorkerRegistry(provider.GetRequiredService<WorkerCatalogue>(), provider.GetRequiredService<WorkerTelemetry>()));
        services.TryAddSingleton<WorkerHostLog>();
        services.TryAddSingleton<InstanceTaint>();
        services.TryAddSingleton<UnhandledExceptionContainment>();
        services.TryAddSingleton<WorkerHost>();
        services.TryAddSingleton(static provider =>
        {
            var catalogue = provider.GetRequiredService<WorkerCatalogue>();
            return new WorkerWatcher(() => [.. catalogue.Entries.Select(entry => (entry.Worker, (IWorkerControl)entry.Group))], provider.GetRequiredService<WorkerServices>());
        });
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, WorkerHostStartup>());
        HostLogFilter.AddTo(services);
        return services;
    }
}
