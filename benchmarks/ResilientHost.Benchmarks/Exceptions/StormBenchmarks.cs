using BenchmarkDotNet.Attributes;
using ResilientHost.Benchmarks.Ratios;

namespace ResilientHost.Benchmarks.Exceptions;

/// <summary>An endpoint that throws beneath ten asynchronous frames, again and again, against the stock handler, the baseline.</summary>
[MemoryDiagnoser]
public class StormBenchmarks
{
    private const int Requests = 16;

    private IOperation _ours = null!;
    private IOperation _stock = null!;

    /// <summary>Whether failures are logged, with the framework's own formatter on both sides.</summary>
    [Params(false, true)]
    public bool Logging { get; set; }

    [GlobalSetup]
    public void SetUp() => (_ours, _stock) = Logging ? Storm.Logged() : Storm.Unlogged();

    [GlobalCleanup]
    public void CleanUp()
    {
        (_ours as IDisposable)?.Dispose();
        (_stock as IDisposable)?.Dispose();
    }

    [Benchmark(Baseline = true, OperationsPerInvoke = Requests)]
    public void Stock() => _stock.Run(Requests);

    [Benchmark(OperationsPerInvoke = Requests)]
    public void Recovered() => _ours.Run(Requests);
}
