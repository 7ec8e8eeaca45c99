using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.Caching.Hybrid;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using ResilientHost;
using ResilientHost.Caching;
using ResilientHost.Hosting;
using ResilientHost.Telemetry;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds caches that guard the reads of what is behind them.</summary>
public static class ResilientCacheServiceCollectionExtensions
{
    /// <summary>Adds the cache without a name, as the application's <see cref="HybridCache"/>.</summary>
    /// <param name="services">The services.</param>
    /// <param name="configure">Runs after the section <c>Resilience:Caches:Default</c> is bound, at start and at each reload. Must be repeatable. What it sets, caches with a name start from.</param>
    /// <returns>The same services.</returns>
    /// <remarks>
    /// <para>
    /// One factory runs for each key, however many readers wait for it, on a token of its own: a reader that gives up disturbs no other, and the token is cancelled when the last has left. Behind the
    /// process' memory stands the <see cref="IDistributedCache"/> that the application registered, if any; no failure of it is one of a read.
    /// </para>
    /// <para>
    /// Values that could be changed are kept serialized, and each reader gets a copy: all but strings, values without references, and sealed types marked
    /// <see cref="System.ComponentModel.ImmutableObjectAttribute"/>. Serializers are the application's <see cref="IHybridCacheSerializer{T}"/> and <see cref="IHybridCacheSerializerFactory"/>, else JSON.
    /// </para>
    /// <para>Needs <c>AddResilienceLayers</c>, before or after; without it the host does not start. Safe to call more than once: all actions run, in order. Thread-safe once built.</para>
    /// </remarks>
    /// <exception cref="ArgumentNullException"><paramref name="services"/> is <see langword="null"/>.</exception>
    public static IServiceCollection AddResilientCache(this IServiceCollection services, Action<CacheOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        if (Find(services, null) is null)
        {
            AddShared(services, new CacheRegistration(null));
            services.AddSingleton<HybridCache>(static provider => Make(provider, null));
        }

        return Configure(services, NamedOptions<CacheOptions>.DefaultName, configure);
    }

    /// <summary>Adds a cache with a name and options of its own, as <see cref="HybridCache"/> with the name as its key.</summary>
    /// <param name="services">The services.</param>
    /// <param name="name">Name of the cache: in <c>Resilience:Caches:&lt;name&gt;</c> and telemetry, and as <c>[FromKeyedServices(name)]</c>.</param>
    /// <param name="configure">Runs after the cache's section in configuration is bound, at start and at each reload. Must be repeatable.</param>
    /// <returns>The same services.</returns>
    /// <remarks><inheritdoc cref="AddResilientCache(IServiceCollection, Action{CacheOptions}?)" path="/remarks"/></remarks>
    /// <exception cref="ArgumentNullException"><paramref name="services"/> or <paramref name="name"/> is <see langword="null"/>.</exception>
    /// <exception cref="ArgumentException">The name is empty or <c>Default</c>, or another cache's but for case.</exception>
    public static IServiceCollection AddResilientCache(this IServiceCollection services, string name, Action<CacheOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        name = name.Trim();
        if (NamedOptions<CacheOptions>.IsDefault(name))
        {
            throw new ArgumentException($"'{name}' is where every cache's options start from; a cache needs another name, or none.", nameof(name));
        }

        var other = Find(services, name);
        if (other is null)
        {
            AddShared(services, new CacheRegistration(name));
            services.AddKeyedSingleton<HybridCache>(name, (provider, _) => Make(provider, name));
        }
        else if (other.Name != name)
        {
            throw new ArgumentException($"There is a cache '{other.Name}' already: '{name}' differs in case only, and options are named without regard to it.", nameof(name));
        }

        return Configure(services, name, configure);
    }

    private static CacheRegistration? Find(IServiceCollection services, string? name) => services
        .Where(static service => !service.IsKeyedService)
        .Select(static service => service.ImplementationInstance)
        .OfType<CacheRegistration>()
        .FirstOrDefault(registration => string.Equals(registration.Name, name, StringComparison.OrdinalIgnoreCase));

    private static void AddShared(IServiceCollection services, CacheRegistration registration)
    {
        services.AddLogging();
        services.AddMetrics();
        services.AddSingleton(registration);
        services.TryAddSingleton(static provider => new MonotonicClock(provider.GetService<TimeProvider>()));
        services.TryAddSingleton<ResilienceMeter>();
        services.TryAddSingleton<CacheMetrics>();
        services.TryAddSingleton(static provider => new CacheLog(provider.GetService<ILogger<CacheLog>>() ?? NullLogger<CacheLog>.Instance, provider.GetRequiredService<MonotonicClock>()));
        services.TryAddSingleton(static provider => new CacheServices(
            provider.GetRequiredService<MonotonicClock>(),
            new CacheCodecs(provider),
            provider.GetRequiredService<CacheMetrics>(),
            provider.GetRequiredService<CacheLog>(),
            Random.Shared));
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, CacheStartup>());
    }

    private static IServiceCollection Configure(IServiceCollection services, string name, Action<CacheOptions>? configure) =>
        configure is null ? services : services.Configure<ResilienceOptions>(options => options.Caches.Configure(name, configure));

    private static ResilientCache Make(IServiceProvider provider, string? name) => new(new CacheCore(
        name,
        CacheStartup.SettingsOf(provider),
        provider.GetService<IDistributedCache>(),
        provider.GetRequiredService<CacheServices>()));
}
