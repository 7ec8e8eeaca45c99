using BenchmarkDotNet.Attributes;

namespace ResilientHost.Benchmarks.Outbound;

/// <summary>A good call through an HTTP client's layers, against the same strategies of Polly's put together by hand, the baseline.</summary>
[MemoryDiagnoser]
public class OutboundBenchmarks
{
    private const int Calls = 32;

    private HttpCalls _polly = null!;
    private HttpCalls _layers = null!;
    private HttpCalls _bare = null!;

    /// <summary>Whether the dependency's answer has to be waited for, as answers have to be.</summary>
    [Params(true, false)]
    public bool Awaits { get; set; }

    [GlobalSetup]
    public void SetUp()
    {
        _polly = HttpCalls.Polly(Awaits);
        _layers = HttpCalls.Layered(Awaits);
        _bare = HttpCalls.Bare(Awaits);
    }

    [GlobalCleanup]
    public void CleanUp()
    {
        foreach (var calls in new[] { _polly, _layers, _bare })
        {
            calls.Dispose();
        }
    }

    [Benchmark(Baseline = true, OperationsPerInvoke = Calls)]
    public void Polly() => _polly.Run(Calls);

    [Benchmark(OperationsPerInvoke = Calls)]
    public void Layers() => _layers.Run(Calls);

    [Benchmark(OperationsPerInvoke = Calls)]
    public void Bare() => _bare.Run(Calls);
}
