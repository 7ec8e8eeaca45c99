using BenchmarkDotNet.Attributes;
using ResilientHost.Benchmarks.Bulkheads;

namespace ResilientHost.Benchmarks.Partitions;

/// <summary>A call of one of a few callers who share a bulkhead fairly, against the framework's limiter with a fixed limit for each, the baseline.</summary>
[MemoryDiagnoser]
public class PartitionBenchmarks
{
    private const int Calls = 128;

    private readonly PartitionedLimiterCalls _limiter = new();
    private readonly SharedBulkheadCalls _fairShare = new();

    [Benchmark(Baseline = true, OperationsPerInvoke = Calls)]
    public void Limiter() => _limiter.Run(Calls);

    [Benchmark(OperationsPerInvoke = Calls)]
    public void FairShare() => _fairShare.Run(Calls);
}
