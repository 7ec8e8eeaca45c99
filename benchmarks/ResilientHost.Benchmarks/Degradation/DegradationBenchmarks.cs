using BenchmarkDotNet.Attributes;
using ResilientHost.Benchmarks.Requests;

namespace ResilientHost.Benchmarks.Degradation;

/// <summary>What a request asks of degradation while all is well, and a request that is turned down, against one that is served, the baseline.</summary>
[MemoryDiagnoser]
public class DegradationBenchmarks
{
    private const int Calls = 32;

    private RequestCalls _served = null!;
    private RequestCalls _shed = null!;
    private LevelLookCalls _look = null!;

    [GlobalSetup]
    public void SetUp()
    {
        _served = RequestCalls.LayeredWithId();
        _shed = RequestCalls.LayeredShed();
        _look = new LevelLookCalls();
    }

    [GlobalCleanup]
    public void CleanUp()
    {
        _served.Dispose();
        _shed.Dispose();
        _look.Dispose();
    }

    [Benchmark(Baseline = true, OperationsPerInvoke = Calls)]
    public void Served() => _served.Run(Calls);

    [Benchmark(OperationsPerInvoke = Calls)]
    public void Shed() => _shed.Run(Calls);

    [Benchmark(OperationsPerInvoke = Calls)]
    public void Look() => _look.Run(Calls);
}
