using BenchmarkDotNet.Attributes;

namespace ResilientHost.Benchmarks.CircuitBreaking;

/// <summary>The states of a breaker's world against Polly's closed breaker, the baseline.</summary>
[MemoryDiagnoser]
public class CircuitBreakerBenchmarks
{
    private const int Calls = 128;

    private readonly PollyCalls _pollyEmpty = PollyCalls.Empty();
    private readonly PollyCalls _pollyAdmitted = PollyCalls.Closed();
    private readonly PollyOutcomes _pollyFailed = PollyOutcomes.Failing();
    private readonly PollyOpenThrowing _pollyRefusedByThrowing = new();
    private readonly PollyOutcomes _pollyRefusedByOutcome = PollyOutcomes.Open();
    private readonly GuardedCalls _admitted = GuardedCalls.Closed();
    private readonly GuardedCalls _admittedTimingSlowCalls = GuardedCalls.TimingSlowCalls();
    private readonly GuardedCalls _admittedCountWindow = GuardedCalls.CountingTheLast(100);
    private readonly GuardedFailures _failed = new();
    private readonly GuardedCalls _refusedOpen = GuardedCalls.Open();

    [Benchmark(Baseline = true, OperationsPerInvoke = Calls)]
    public void PollyAdmitted() => _pollyAdmitted.Run(Calls);

    [Benchmark(OperationsPerInvoke = Calls)]
    public void PollyEmptyPipeline() => _pollyEmpty.Run(Calls);

    [Benchmark(OperationsPerInvoke = Calls)]
    public void Admitted() => _admitted.Run(Calls);

    [Benchmark(OperationsPerInvoke = Calls)]
    public void AdmittedTimingSlowCalls() => _admittedTimingSlowCalls.Run(Calls);

    [Benchmark(OperationsPerInvoke = Calls)]
    public void AdmittedCountWindow() => _admittedCountWindow.Run(Calls);

    [Benchmark(OperationsPerInvoke = Calls)]
    public void PollyFailed() => _pollyFailed.Run(Calls);

    [Benchmark(OperationsPerInvoke = Calls)]
    public void Failed() => _failed.Run(Calls);

    [Benchmark(OperationsPerInvoke = Calls)]
    public void PollyRefusedByThrowing() => _pollyRefusedByThrowing.Run(Calls);

    [Benchmark(OperationsPerInvoke = Calls)]
    public void PollyRefusedByOutcome() => _pollyRefusedByOutcome.Run(Calls);

    [Benchmark(OperationsPerInvoke = Calls)]
    public void RefusedOpen() => _refusedOpen.Run(Calls);
}
