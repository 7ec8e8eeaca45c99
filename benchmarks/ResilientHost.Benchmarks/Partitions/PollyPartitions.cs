using System.Collections.Concurrent;
using System.Threading.RateLimiting;
using Polly;
using ResilientHost.Benchmarks.CircuitBreaking;

namespace ResilientHost.Benchmarks.Partitions;

/// <summary>A Polly pipeline with a breaker for each key, and the framework's limiter with a partition for each.</summary>
internal sealed class PollyPartitions : IPartitions, IDisposable
{
    private readonly ConcurrentDictionary<string, ResiliencePipeline<int>> _pipelines = new(StringComparer.Ordinal);
    private readonly PartitionedRateLimiter<string> _limiter = PartitionedRateLimiter.Create<string, string>(
        static key => RateLimitPartition.GetConcurrencyLimiter(key, static _ => new ConcurrencyLimiterOptions { PermitLimit = 64, QueueLimit = 0 }));

    public void Call(string key)
    {
        using var lease = _limiter.AttemptAcquire(key);
        _pipelines.GetOrAdd(key, static _ => PollyCalls.Breaker(minimumThroughput: 20)).ExecuteAsync(Work.Succeeds).AsTask().GetAwaiter().GetResult();
    }

    public void Rest(IReadOnlyList<string> keys)
    {
        // Nothing of it shrinks before the limiter's timer finds a partition idle.
    }

    public void Dispose() => _limiter.Dispose();
}
