using Microsoft.Extensions.Caching.Hybrid;
using Microsoft.Extensions.Caching.Memory;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using ResilientHost.Benchmarks.Ratios;

namespace ResilientHost.Benchmarks.Caching;

/// <summary>Reads of a value that a guarded cache has in memory.</summary>
internal sealed class CacheReads : IOperation, IDisposable
{
    public const string Key = "product:1";

    private readonly ServiceProvider _services;
    private readonly HybridCache _cache;

    public CacheReads()
    {
        var services = new ServiceCollection();
        services.AddResilienceLayers(new ConfigurationBuilder().Build());
        _services = services.AddResilientCache(static options => options.Expiration = TimeSpan.FromDays(30)).BuildServiceProvider();
        _cache = _services.GetRequiredService<HybridCache>();
        _cache.GetOrCreateAsync(Key, static _ => ValueTask.FromResult(Key)).AsTask().GetAwaiter().GetResult();
        Run(1);
    }

    public void Run(int count)
    {
        for (var read = 0; read < count; read++)
        {
            var value = _cache.GetOrCreateAsync(Key, static _ => ValueTask.FromResult(Key));
            if (!value.IsCompletedSuccessfully || !ReferenceEquals(value.Result, Key))
            {
                throw new InvalidOperationException("The value must be there.");
            }
        }
    }

    public void Dispose() => _services.Dispose();
}

/// <summary>The same reads of the framework's cache in memory, which guards nothing.</summary>
internal sealed class MemoryCacheReads : IOperation, IDisposable
{
    private readonly MemoryCache _cache = new(new MemoryCacheOptions());

    public MemoryCacheReads() => _cache.Set(CacheReads.Key, CacheReads.Key, TimeSpan.FromDays(30));

    public void Run(int count)
    {
        for (var read = 0; read < count; read++)
        {
            if (!_cache.TryGetValue(CacheReads.Key, out var value) || !ReferenceEquals(value, CacheReads.Key))
            {
                throw new InvalidOperationException("The value must be there.");
            }
        }
    }

    public void Dispose() => _cache.Dispose();
}
