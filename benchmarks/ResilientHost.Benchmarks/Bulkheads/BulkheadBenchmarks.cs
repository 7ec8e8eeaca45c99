using BenchmarkDotNet.Attributes;

namespace ResilientHost.Benchmarks.Bulkheads;

/// <summary>The states of a bulkhead's world against the framework's limiter, the baseline.</summary>
[MemoryDiagnoser]
public class BulkheadBenchmarks
{
    private const int Calls = 128;

    private readonly LimiterCalls _limiterAdmitted = LimiterCalls.WithRoom();
    private readonly LimiterAsyncCalls _limiterAdmittedAsync = new();
    private readonly LimiterCalls _limiterRefusedFull = LimiterCalls.Full();
    private readonly SemaphoreCalls _semaphoreAdmitted = new();
    private readonly BulkheadCalls _admitted = BulkheadCalls.WithRoom();
    private readonly BulkheadAsyncCalls _admittedAsync = new();
    private readonly BulkheadCalls _refusedFull = BulkheadCalls.Full();

    [Benchmark(Baseline = true, OperationsPerInvoke = Calls)]
    public void LimiterAdmitted() => _limiterAdmitted.Run(Calls);

    [Benchmark(OperationsPerInvoke = Calls)]
    public void SemaphoreAdmitted() => _semaphoreAdmitted.Run(Calls);

    [Benchmark(OperationsPerInvoke = Calls)]
    public void Admitted() => _admitted.Run(Calls);

    [Benchmark(OperationsPerInvoke = Calls)]
    public void LimiterAdmittedAsync() => _limiterAdmittedAsync.Run(Calls);

    [Benchmark(OperationsPerInvoke = Calls)]
    public void AdmittedAsync() => _admittedAsync.Run(Calls);

    [Benchmark(OperationsPerInvoke = Calls)]
    public void LimiterRefusedFull() => _limiterRefusedFull.Run(Calls);

    [Benchmark(OperationsPerInvoke = Calls)]
    public void RefusedFull() => _refusedFull.Run(Calls);
}
