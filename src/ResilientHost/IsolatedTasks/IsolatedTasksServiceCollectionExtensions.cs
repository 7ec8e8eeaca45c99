using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using ResilientHost;
using ResilientHost.Hosting;
using ResilientHost.IsolatedTasks;
using ResilientHost.Telemetry;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers the slice of isolated tasks.</summary>
internal static class IsolatedTasksServiceCollectionExtensions
{
    /// <summary>Adds <see cref="IIsolatedTasks"/>. Needs a <see cref="Func{TResult}"/> of <see cref="IsolatedTaskPolicy"/> and of <see cref="ResilientHost.Recovery.RecoveryPolicy"/> from the configuration.</summary>
    public static IServiceCollection AddIsolatedTasks(this IServiceCollection services)
    {
        services.AddLogging();
        services.AddMetrics();
        services.TryAddSingleton(provider => new MonotonicClock(provider.GetService<TimeProvider>()));
        services.TryAddSingleton<ResilienceMeter>();
        services.TryAddSingleton<IsolatedTaskMetrics>();
        services.TryAddSingleton<IsolatedTaskLog>();
        services.TryAddSingleton(static provider =>
        {
            // Handed to the factory rather than registered: an application that clears the logging providers does not mean this one.
            var scopes = new LogScopes();
            provider.GetRequiredService<ILoggerFactory>().AddProvider(scopes);
            return scopes;
        });
        services.TryAddSingleton<IsolatedTaskRunner>();
        services.TryAddSingleton<IIsolatedTasks>(provider => provider.GetRequiredService<IsolatedTaskRunner>());
        services.TryAddSingleton<LeakWatch>();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, IsolatedTaskLifetime>());
        return services;
    }
}
