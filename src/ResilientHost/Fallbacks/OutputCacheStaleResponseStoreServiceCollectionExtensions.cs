using Microsoft.AspNetCore.OutputCaching;
using Microsoft.Extensions.DependencyInjection.Extensions;
using ResilientHost;
using ResilientHost.Fallbacks;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Stale responses in the store of the output cache.</summary>
public static class OutputCacheStaleResponseStoreServiceCollectionExtensions
{
    /// <summary>Keeps the responses for stale fallbacks in the application's <see cref="IOutputCacheStore"/>, in place of the store in memory.</summary>
    /// <param name="services">The services; <c>AddOutputCache()</c>, or a package that brings a store, must be called as well, before or after.</param>
    /// <returns><paramref name="services"/>.</returns>
    /// <remarks>
    /// For replicas that share a cache: one that has just started serves what the others kept. Keys begin with <c>resilient-host:stale:</c>. Responses are written off the request's path, one after another,
    /// and lost where the store is too slow; their age is told by wall-clock time. What cannot be read as one of ours is treated as absent. <see cref="FallbackOptions.MaxStaleStoreBytes"/> does not apply: the
    /// size is the store's own affair (<see cref="OutputCacheOptions.SizeLimit"/> for the one in memory).
    /// </remarks>
    public static IServiceCollection AddOutputCacheStaleResponseStore(this IServiceCollection services)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.RemoveAll<IStaleResponseStore>();
        services.AddSingleton<IStaleResponseStore>(static provider => new OutputCacheStaleResponseStore(
            provider.GetService<IOutputCacheStore>() ?? throw new InvalidOperationException(
                "AddOutputCacheStaleResponseStore() keeps stale responses in the store of the output cache, but there is none. Call services.AddOutputCache(), or the package's method that brings a store.")));
        return services;
    }
}
