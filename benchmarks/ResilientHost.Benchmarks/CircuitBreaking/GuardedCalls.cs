using ResilientHost.Benchmarks.Ratios;

namespace ResilientHost.Benchmarks.CircuitBreaking;

/// <summary>
/// A call through our breaker, written the way a user guards one: enter, await the work, say how it ended.
/// The same asynchronous delegate as the peer's side, so that the difference is the breaker.
/// </summary>
internal sealed class GuardedCalls(CircuitBreaker breaker, Func<CancellationToken, ValueTask<int>> work) : IOperation
{
    private static readonly TimeSpan OneDay = TimeSpan.FromDays(1);

    public static GuardedCalls Closed() => new(Breaker(new CircuitBreakerOptions()), Work.Succeeds);

    public static GuardedCalls TimingSlowCalls() =>
        new(Breaker(new CircuitBreakerOptions { SlowCallDuration = TimeSpan.FromSeconds(1) }), Work.Succeeds);

    public static GuardedCalls CountingTheLast(int calls) => new(Breaker(new CircuitBreakerOptions { WindowSize = calls }), Work.Succeeds);

    public static GuardedCalls Open()
    {
        var breaker = Breaker(new CircuitBreakerOptions());
        breaker.ForceOpen(OneDay);
        return new GuardedCalls(breaker, Work.Succeeds);
    }

    public void Run(int count) => RunAsync(count).GetAwaiter().GetResult();

    private static CircuitBreaker Breaker(CircuitBreakerOptions options) => new("benchmark", options);

    internal static async ValueTask<int> GuardAsync(CircuitBreaker breaker, Func<CancellationToken, ValueTask<int>> work)
    {
        if (!breaker.TryEnter(out var permit, out _))
        {
            return Work.Refused;
        }

        var outcome = CallOutcome.Failed;
        try
        {
            var result = await work(CancellationToken.None);
            outcome = CallOutcome.Succeeded;
            return result;
        }
        finally
        {
            breaker.Exit(permit, outcome);
        }
    }

    private async Task RunAsync(int count)
    {
        for (var call = 0; call < count; call++)
        {
            await GuardAsync(breaker, work);
        }
    }
}

/// <summary>A failing call without an exception: what counting a failure costs.</summary>
internal sealed class GuardedFailures : IOperation
{
    private readonly CircuitBreaker _breaker = new("benchmark", new CircuitBreakerOptions { MinimumThroughput = int.MaxValue });

    public void Run(int count) => RunAsync(count).GetAwaiter().GetResult();

    private async Task RunAsync(int count)
    {
        for (var call = 0; call < count; call++)
        {
            await GuardAsync();
        }
    }

    private async ValueTask<bool> GuardAsync()
    {
        if (!_breaker.TryEnter(out var permit, out _))
        {
            return false;
        }

        var outcome = await Work.Fails(CancellationToken.None);
        _breaker.Exit(permit, outcome.Exception is null ? CallOutcome.Succeeded : CallOutcome.Failed);
        return true;
    }
}
