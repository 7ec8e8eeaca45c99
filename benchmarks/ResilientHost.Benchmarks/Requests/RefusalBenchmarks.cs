using BenchmarkDotNet.Attributes;

namespace ResilientHost.Benchmarks.Requests;

/// <summary>Requests that end in a problem body, against an exception that the stock handler answers, the baseline.</summary>
[MemoryDiagnoser]
public class RefusalBenchmarks
{
    private const int Requests = 32;

    private RequestCalls _stockThrowing = null!;
    private RequestCalls _stockPollyOpen = null!;
    private RequestCalls _refusedOpen = null!;
    private RequestCalls _recovered = null!;

    [GlobalSetup]
    public void SetUp()
    {
        _stockThrowing = RequestCalls.StockThrowing();
        _stockPollyOpen = RequestCalls.StockPollyOpen();
        _refusedOpen = RequestCalls.LayeredOpen();
        _recovered = RequestCalls.LayeredThrowing();
    }

    [GlobalCleanup]
    public void CleanUp()
    {
        foreach (var calls in new[] { _stockThrowing, _stockPollyOpen, _refusedOpen, _recovered })
        {
            calls.Dispose();
        }
    }

    [Benchmark(Baseline = true, OperationsPerInvoke = Requests)]
    public void StockThrowing() => _stockThrowing.Run(Requests);

    [Benchmark(OperationsPerInvoke = Requests)]
    public void StockPollyOpen() => _stockPollyOpen.Run(Requests);

    [Benchmark(OperationsPerInvoke = Requests)]
    public void RefusedOpen() => _refusedOpen.Run(Requests);

    [Benchmark(OperationsPerInvoke = Requests)]
    public void Recovered() => _recovered.Run(Requests);
}
