using BenchmarkDotNet.Attributes;

namespace ResilientHost.Benchmarks.Requests;

/// <summary>Requests whose endpoint has a fallback or a timeout that it does not need, against the same layers without, the baseline.</summary>
[MemoryDiagnoser]
public class GuardedRequestBenchmarks
{
    private const int Requests = 32;

    private RequestCalls _layers = null!;
    private RequestCalls _fallback = null!;
    private RequestCalls _staleFallback = null!;
    private RequestCalls _timeout = null!;
    private RequestCalls _stockTimeout = null!;

    [GlobalSetup]
    public void SetUp()
    {
        _layers = RequestCalls.Layered();
        _fallback = RequestCalls.LayeredWithFallback();
        _staleFallback = RequestCalls.LayeredWithStaleFallback();
        _timeout = RequestCalls.LayeredWithTimeout();
        _stockTimeout = RequestCalls.StockTimeout();
    }

    [GlobalCleanup]
    public void CleanUp()
    {
        foreach (var calls in new[] { _layers, _fallback, _staleFallback, _timeout, _stockTimeout })
        {
            calls.Dispose();
        }
    }

    [Benchmark(Baseline = true, OperationsPerInvoke = Requests)]
    public void Layers() => _layers.Run(Requests);

    [Benchmark(OperationsPerInvoke = Requests)]
    public void Fallback() => _fallback.Run(Requests);

    [Benchmark(OperationsPerInvoke = Requests)]
    public void StaleFallback() => _staleFallback.Run(Requests);

    [Benchmark(OperationsPerInvoke = Requests)]
    public void Timeout() => _timeout.Run(Requests);

    [Benchmark(OperationsPerInvoke = Requests)]
    public void StockTimeout() => _stockTimeout.Run(Requests);
}
