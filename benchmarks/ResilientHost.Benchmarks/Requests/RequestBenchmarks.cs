using System.Diagnostics.Metrics;
using BenchmarkDotNet.Attributes;

namespace ResilientHost.Benchmarks.Requests;

/// <summary>A request that is admitted, against the same endpoint with nothing around it, the baseline.</summary>
[MemoryDiagnoser]
public class RequestBenchmarks
{
    private const int Requests = 32;

    private MeterListener? _listener;
    private RequestCalls _bare = null!;
    private RequestCalls _bareAwaiting = null!;
    private RequestCalls _stockStack = null!;
    private RequestCalls _admitted = null!;
    private RequestCalls _admittedAwaiting = null!;

    /// <summary>Whether somebody listens to every instrument of the library.</summary>
    [Params(false, true)]
    public bool Telemetry { get; set; }

    [GlobalSetup]
    public void SetUp()
    {
        if (Telemetry)
        {
            _listener = Listener.ToEverything();
        }

        _bare = RequestCalls.Bare();
        _bareAwaiting = RequestCalls.BareAwaiting();
        _stockStack = RequestCalls.StockStack();
        _admitted = RequestCalls.Layered();
        _admittedAwaiting = RequestCalls.LayeredAwaiting();
    }

    [GlobalCleanup]
    public void CleanUp()
    {
        _listener?.Dispose();
        foreach (var calls in new[] { _bare, _bareAwaiting, _stockStack, _admitted, _admittedAwaiting })
        {
            calls.Dispose();
        }
    }

    [Benchmark(Baseline = true, OperationsPerInvoke = Requests)]
    public void Bare() => _bare.Run(Requests);

    [Benchmark(OperationsPerInvoke = Requests)]
    public void StockStack() => _stockStack.Run(Requests);

    [Benchmark(OperationsPerInvoke = Requests)]
    public void Admitted() => _admitted.Run(Requests);

    [Benchmark(OperationsPerInvoke = Requests)]
    public void BareAwaiting() => _bareAwaiting.Run(Requests);

    [Benchmark(OperationsPerInvoke = Requests)]
    public void AdmittedAwaiting() => _admittedAwaiting.Run(Requests);
}
