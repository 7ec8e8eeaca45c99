using BenchmarkDotNet.Attributes;

namespace ResilientHost.Benchmarks.Caching;

/// <summary>A read of what is in memory through a guarded cache, against the framework's cache in memory, the baseline.</summary>
[MemoryDiagnoser]
public class CacheBenchmarks
{
    private const int Reads = 128;

    private readonly MemoryCacheReads _memoryCache = new();
    private CacheReads _guarded = null!;

    [GlobalSetup]
    public void SetUp() => _guarded = new CacheReads();

    [GlobalCleanup]
    public void CleanUp()
    {
        _guarded.Dispose();
        _memoryCache.Dispose();
    }

    [Benchmark(Baseline = true, OperationsPerInvoke = Reads)]
    public void MemoryCache() => _memoryCache.Run(Reads);

    [Benchmark(OperationsPerInvoke = Reads)]
    public void GuardedHit() => _guarded.Run(Reads);
}
