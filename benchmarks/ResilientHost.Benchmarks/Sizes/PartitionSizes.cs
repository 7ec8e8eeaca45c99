using System.Threading.RateLimiting;
using ResilientHost.Bulkheads;
using ResilientHost.Hosting;

namespace ResilientHost.Benchmarks.Sizes;

/// <summary>Callers that one bulkhead tells apart, and the framework's limiter with a partition for each.</summary>
internal sealed class PartitionSizes() : SizeStudy("partitions", "Callers of one bulkhead", "A call of each in turn, in random order, and what is kept of each. The framework's limiter gives fixed limits, not shares.", "callers")
{
    private const int FewestKept = 1_000;
    private const int Room = 64;
    private bool _isWarm;

    public override IReadOnlyList<int> Sizes { get; } = [1, 10, 100, 1_000, 10_000, 100_000];

    public override IReadOnlyList<SizeColumn> Columns { get; } =
        [new("fair share", "call", "ns"), new("PartitionedRateLimiter", "call", "ns"), new("fair share", "memory", "B each"), new("PartitionedRateLimiter", "memory", "B each")];

    public override double[] Measure(int size)
    {
        string[] keys = [.. Enumerable.Range(0, size).Select(static key => $"caller-{key}")];
        var options = new BulkheadOptions { MaxConcurrency = Room, PartitionBy = "User", MaxPartitions = 1_000_000 };
        var policy = BulkheadPolicy.From("benchmark", options);
        var clock = new MonotonicClock(TimeProvider.System);
        var bulkhead = new Bulkhead("benchmark", policy, clock);
        var before = Figure.BytesInUse();
        FairShare shares = new(bulkhead, policy, clock);
        GoingRound<string> ours = new(keys, key => Enter(shares, bulkhead, key));
        ours.Run(size);
        var oursBytes = (Figure.BytesInUse() - before) / (double)size;

        before = Figure.BytesInUse();
        using var limiter = PartitionedRateLimiter.Create<string, string>(
            static caller => RateLimitPartition.GetConcurrencyLimiter(caller, static _ => new ConcurrencyLimiterOptions { PermitLimit = Room, QueueLimit = 0 }));
        GoingRound<string> peer = new(keys, key => Acquire(limiter, key));
        peer.Run(size);
        var peerBytes = (Figure.BytesInUse() - before) / (double)size;
        if (!_isWarm)
        {
            Figure.WarmUp(ours, peer);
            _isWarm = true;
        }

        var times = Figure.NanosecondsPerCall(size, ours, peer);
        return size < FewestKept ? [.. times, double.NaN, double.NaN] : [.. times, oursBytes, peerBytes];
    }

    private static ValueTask<int> Enter(FairShare shares, Bulkhead bulkhead, string key)
    {
        if (!shares.TryEnter(key, out var ticket, out _) || !bulkhead.TryEnter(out var lease, out _))
        {
            throw new InvalidOperationException("There is room for a call that is alone.");
        }

        bulkhead.Exit(lease, CallOutcome.Succeeded);
        FairShare.Exit(ticket);
        return default;
    }

    private static ValueTask<int> Acquire(PartitionedRateLimiter<string> limiter, string key)
    {
        using var lease = limiter.AttemptAcquire(key);
        return default;
    }
}
