using ResilientHost.Benchmarks.Ratios;

namespace ResilientHost.Benchmarks.Bulkheads;

/// <summary>Enters our bulkhead and leaves it; never waits.</summary>
internal sealed class BulkheadCalls : IOperation
{
    private const int Room = 64;
    private readonly Bulkhead _bulkhead;

    private BulkheadCalls(int maxConcurrency, AdaptiveLimit adaptive = AdaptiveLimit.None) =>
        _bulkhead = new Bulkhead("benchmark", new BulkheadOptions { MaxConcurrency = maxConcurrency, Adaptive = adaptive });

    public static BulkheadCalls WithRoom() => new(Room);

    public static BulkheadCalls Adaptive(AdaptiveLimit algorithm) => new(Room, algorithm);

    public static BulkheadCalls Full()
    {
        var calls = new BulkheadCalls(1);
        return calls._bulkhead.TryEnter(out _, out _) ? calls : throw new InvalidOperationException("The first call must get in.");
    }

    public void Run(int count)
    {
        for (var call = 0; call < count; call++)
        {
            if (_bulkhead.TryEnter(out var lease, out _))
            {
                _bulkhead.Exit(lease, CallOutcome.Succeeded);
            }
        }
    }
}

/// <summary>Enters our bulkhead by the way that may wait, with room: it does not.</summary>
internal sealed class BulkheadAsyncCalls : IOperation
{
    private readonly Bulkhead _bulkhead = new("benchmark", new BulkheadOptions { MaxConcurrency = 64, QueueLength = 64 });

    public void Run(int count) => RunAsync(count).GetAwaiter().GetResult();

    private async Task RunAsync(int count)
    {
        for (var call = 0; call < count; call++)
        {
            var admission = await _bulkhead.EnterAsync(CancellationToken.None);
            if (admission.IsAdmitted)
            {
                _bulkhead.Exit(admission.Lease, CallOutcome.Succeeded);
            }
        }
    }
}
