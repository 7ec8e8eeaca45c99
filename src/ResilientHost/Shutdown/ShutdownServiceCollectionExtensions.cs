using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using ResilientHost.IsolatedTasks;
using ResilientHost.Shutdown;
using ResilientHost.Workers;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers what comes before anything stops.</summary>
internal static class ShutdownServiceCollectionExtensions
{
    /// <summary>Adds the sequence. Needs <see cref="Func{TResult}"/> of <see cref="ShutdownPolicy"/> from the configuration.</summary>
    public static IServiceCollection AddShutdown(this IServiceCollection services)
    {
        services.TryAddSingleton<Func<ShutdownLimits>>(static provider =>
        {
            var (catalogue, tasks) = (provider.GetRequiredService<WorkerCatalogue>(), provider.GetRequiredService<Func<IsolatedTaskPolicy>>());
            return () =>
            {
                var slowest = catalogue.All.MaxBy(static worker => worker.Policy.StopTimeout);
                return new(slowest?.Policy.StopTimeout ?? TimeSpan.Zero, slowest is null ? "(none)" : $"'{slowest.Name}'", tasks().DrainTimeout);
            };
        });
        services.TryAddSingleton<ShutdownSequence>();
        services.AddSingleton<IHostedService>(static provider => provider.GetRequiredService<ShutdownSequence>());
        return services;
    }
}
