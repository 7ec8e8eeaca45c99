using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace ResilientHost.Caching;

/// <summary>Keeps a host from starting whose caches nothing configures, and tells of options that no cache has.</summary>
/// <remarks>Resolves late: an invalid configuration, or none, then speaks for itself and not as a failed construction.</remarks>
internal sealed class CacheStartup(IServiceProvider services, IEnumerable<CacheRegistration> registrations) : IHostedLifecycleService
{
    /// <summary>What is in force.</summary>
    /// <exception cref="InvalidOperationException">The layers were not added.</exception>
    public static Func<CacheSettings> SettingsOf(IServiceProvider services) => services.GetService<Func<CacheSettings>>()
        ?? throw new InvalidOperationException("A cache was added with AddResilientCache, but nothing configures it. Call builder.AddResilienceLayers(), or AddResilienceLayers on its services.");

    public Task StartingAsync(CancellationToken cancellationToken)
    {
        var names = registrations.Select(static registration => registration.Name).OfType<string>().ToHashSet(StringComparer.OrdinalIgnoreCase);
        foreach (var unused in SettingsOf(services)().Named.Keys.Where(name => !names.Contains(name)).Order(StringComparer.OrdinalIgnoreCase))
        {
            services.GetRequiredService<CacheLog>().Unused(unused);
        }

        return Task.CompletedTask;
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
