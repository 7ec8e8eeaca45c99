using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using ResilientHost;
using ResilientHost.Bulkheads;
using ResilientHost.CircuitBreaking;
using ResilientHost.Degradation;
using ResilientHost.Fallbacks;
using ResilientHost.History;
using ResilientHost.Hosting;
using ResilientHost.Outbound;
using ResilientHost.Pipeline;
using ResilientHost.Recovery;
using ResilientHost.Telemetry;
using ResilientHost.Timeouts;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds the resilience layers to services that have no application builder: generic hosts and tests.</summary>
public static class ResilienceServiceCollectionExtensions
{
    /// <summary>Adds the layers, configured by a configuration's section <c>Resilience</c> and then by code.</summary>
    /// <param name="services">The services.</param>
    /// <param name="configuration">A configuration that has the section, or that section itself.</param>
    /// <param name="configure">
    /// Runs after the section is bound, at start and at each reload. Of several calls, all actions run, in order. Must be repeatable.
    /// </param>
    /// <returns>The same services.</returns>
    /// <remarks>
    /// Safe to call more than once. The configuration is validated when the host starts, before any service of it does; without a host,
    /// when something of the suite is first resolved. Handed a section, the suite sees unreadable configuration files only if the
    /// application's root configuration is registered as <see cref="IConfiguration"/>.
    /// </remarks>
    /// <exception cref="ArgumentNullException"><paramref name="services"/> or <paramref name="configuration"/> is <see langword="null"/>.</exception>
    /// <exception cref="InvalidOperationException">The layers were already added with another configuration.</exception>
    public static IServiceCollection AddResilienceLayers(
        this IServiceCollection services, IConfiguration configuration, Action<ResilienceOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configuration);
        if (FindRegistration(services) is { } registration)
        {
            ThrowIfDifferent(registration.Configuration, configuration);
        }
        else
        {
            AddSuite(services, configuration);
        }

        if (configure is not null)
        {
            services.Configure(configure);
        }

        return services;
    }

    private static void AddSuite(IServiceCollection services, IConfiguration configuration)
    {
        services.AddLogging();
        services.AddMetrics();
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<ResilienceMeter>();

        services.AddSingleton(new ResilienceRegistration(configuration));
        services.AddOptions<ResilienceOptions>().ValidateOnStart();
        services.AddSingleton<IValidateOptions<ResilienceOptions>, ResilienceOptionsSetup>();

        // First of all: code that was registered before this call has its say after the section, too.
        services.Insert(0, ServiceDescriptor.Singleton<IConfigureOptions<ResilienceOptions>, ResilienceOptionsSetup>());
        services.AddSingleton(provider => new ResilienceSettingsSource(
            provider.GetRequiredService<IOptionsFactory<ResilienceOptions>>(),
            provider.GetRequiredService<ResilienceRegistration>(),
            provider.GetRequiredService<ILogger<ResilienceSettingsSource>>(),
            provider.GetService<IConfiguration>(),
            provider.GetService<IHostEnvironment>(),
            provider.GetRequiredService<RecoveredExceptions>(),
            provider.GetRequiredService<ConfigurationJournal>()));
        services.AddSingleton(static provider => new ConfigurationJournal(provider.GetService<TimeProvider>()));
        services.AddSingleton(static provider => new ConfigurationSources(provider.GetRequiredService<ResilienceRegistration>(), provider.GetService<IConfiguration>()));
        services.AddPolicy(static settings => settings.Recovery);
        services.AddPolicy(static settings => settings.Fallbacks);
        services.AddPolicy(static settings => settings.Timeouts);
        services.AddPolicy(static settings => settings.Degradation);
        services.AddPolicy(static settings => settings.Connections);
        services.AddPolicy(static settings => settings.TrustedCallers);
        services.AddPolicy(static settings => settings.HttpClients);
        services.AddPolicy(static settings => settings.Calls);
        services.AddPolicy(static settings => settings.Caches);
        services.AddPolicy(static settings => settings.Workers);
        services.AddPolicy(static settings => settings.DeadLetters);
        services.AddPolicy(static settings => settings.IsolatedTasks);
        services.AddPolicy(static settings => settings.Shutdown);
        services.AddPolicy(static settings => settings.Dashboard);
        services.AddCallers();
        services.AddSignals();
        services.AddDegradation();
        services.AddConnectionDoor();
        services.AddCircuitBreaking();
        services.AddBulkheads();
        services.AddRecovery();
        services.AddTimeouts();
        services.AddFallbacks();
        services.AddPropagation();
        services.AddOutbound();
        services.AddCalls();
        services.AddHistory();
        services.AddPipeline();
        services.AddWorkers();
        services.AddWorkerIterations();
        services.AddWorkItems();
        services.AddDeadLetters();

        // The host tells services of its stopping in reverse order: tasks have to know when that was, not when the delay of readiness was over.
        services.AddShutdown();
        services.AddIsolatedTasks();
        services.AddResilienceHealth();
        services.FollowSettings<CircuitBreakerRegistry, CircuitBreakerSettings>(s => s.CircuitBreakers, (registry, part) => registry.Apply(part));
        services.FollowSettings<BulkheadRegistry, BulkheadSettings>(s => s.Bulkheads, (registry, part) => registry.Apply(part));
        services.FollowSettings<OutboundClients, HttpClientSettings>(s => s.HttpClients, (clients, part) => clients.Apply(part));
        services.FollowSettings<DegradationControl, DegradationPolicy>(s => s.Degradation, (control, part) => control.Apply(part));
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, ResilienceStartup>());
    }

    private static ResilienceRegistration? FindRegistration(IServiceCollection services) => services
        .FirstOrDefault(d => d.ServiceType == typeof(ResilienceRegistration) && !d.IsKeyedService)
        ?.ImplementationInstance as ResilienceRegistration;

    // Two roots that are not the same object; of sections that cannot be told.
    private static void ThrowIfDifferent(IConfiguration added, IConfiguration configuration)
    {
        if (added is IConfigurationRoot && configuration is IConfigurationRoot && !ReferenceEquals(added, configuration))
        {
            throw new InvalidOperationException(
                "AddResilienceLayers was already called with another configuration. Call it once with the configuration that has the section 'Resilience'; "
                + "further calls may add code with the same configuration.");
        }
    }

    /// <summary>What is in force of one layer, to be asked for anew by every call.</summary>
    private static void AddPolicy<TPolicy>(this IServiceCollection services, Func<ResilienceSettings, TPolicy> select)
        where TPolicy : class =>
        services.TryAddSingleton<Func<TPolicy>>(provider =>
        {
            var source = provider.GetRequiredService<ResilienceSettingsSource>();
            return () => select(source.Current);
        });

    /// <summary>A registry has its settings from the moment it exists, whoever resolves it first, and follows every reload.</summary>
    private static void FollowSettings<TRegistry, TPart>(
        this IServiceCollection services, Func<ResilienceSettings, TPart> select, Action<TRegistry, TPart> apply)
        where TRegistry : class
        where TPart : class
    {
        var added = services.Last(d => d.ServiceType == typeof(TRegistry) && !d.IsKeyedService);
        services.Remove(added);
        services.AddSingleton(provider =>
        {
            var registry = (TRegistry)(added.ImplementationFactory?.Invoke(provider)
                ?? ActivatorUtilities.CreateInstance(provider, added.ImplementationType!));
            provider.GetRequiredService<ResilienceSettingsSource>().Subscribe(select, part => apply(registry, part));
            return registry;
        });
    }
}
