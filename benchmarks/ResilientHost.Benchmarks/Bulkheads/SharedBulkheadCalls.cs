using System.Threading.RateLimiting;
using ResilientHost.Benchmarks.Ratios;
using ResilientHost.Bulkheads;
using ResilientHost.Hosting;

namespace ResilientHost.Benchmarks.Bulkheads;

/// <summary>A bulkhead that gives each of a few callers a fair share, with room.</summary>
internal sealed class SharedBulkheadCalls : IOperation
{
    private readonly Bulkhead _bulkhead;
    private readonly FairShare _shares;
    private readonly string[] _callers = Callers.Names;

    public SharedBulkheadCalls()
    {
        var policy = BulkheadPolicy.From("benchmark", new BulkheadOptions { MaxConcurrency = 64, PartitionBy = "User" });
        var clock = new MonotonicClock(TimeProvider.System);
        _bulkhead = new Bulkhead("benchmark", policy, clock);
        _shares = new FairShare(_bulkhead, policy, clock);
    }

    public void Run(int count)
    {
        for (var call = 0; call < count; call++)
        {
            if (_shares.TryEnter(_callers[call & (Callers.Count - 1)], out var ticket, out _))
            {
                if (_bulkhead.TryEnter(out var lease, out _))
                {
                    _bulkhead.Exit(lease, CallOutcome.Succeeded);
                }

                FairShare.Exit(ticket);
            }
        }
    }
}

/// <summary>The framework's limiter with a fixed limit for each of the same callers.</summary>
internal sealed class PartitionedLimiterCalls : IOperation
{
    private readonly string[] _callers = Callers.Names;
    private readonly PartitionedRateLimiter<string> _limiter = PartitionedRateLimiter.Create<string, string>(
        static caller => RateLimitPartition.GetConcurrencyLimiter(caller, static _ => new ConcurrencyLimiterOptions { PermitLimit = 64 / Callers.Count, QueueLimit = 0 }));

    public void Run(int count)
    {
        for (var call = 0; call < count; call++)
        {
            using var lease = _limiter.AttemptAcquire(_callers[call & (Callers.Count - 1)]);
        }
    }
}

internal static class Callers
{
    public const int Count = 8;

    public static string[] Names { get; } = [.. Enumerable.Range(0, Count).Select(caller => $"caller-{caller}")];
}
