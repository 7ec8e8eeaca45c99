using Polly;
using Polly.CircuitBreaker;
using ResilientHost.Benchmarks.Ratios;

namespace ResilientHost.Benchmarks.CircuitBreaking;

/// <summary>A call through Polly's breaker in a pipeline of its own, with the same thresholds as ours.</summary>
internal sealed class PollyCalls(ResiliencePipeline<int> pipeline) : IOperation
{
    public static PollyCalls Empty() => new(ResiliencePipeline<int>.Empty);

    public static PollyCalls Closed() => new(Breaker(minimumThroughput: 20));

    public void Run(int count) => RunAsync(count).GetAwaiter().GetResult();

    internal static ResiliencePipeline<int> Breaker(int minimumThroughput) => new ResiliencePipelineBuilder<int>()
        .AddCircuitBreaker(new CircuitBreakerStrategyOptions<int>
        {
            FailureRatio = 0.5,
            MinimumThroughput = minimumThroughput,
            SamplingDuration = TimeSpan.FromSeconds(30),
            BreakDuration = TimeSpan.FromDays(1),
        })
        .Build();

    internal static ResiliencePipeline<int> OpenBreaker()
    {
        var pipeline = Breaker(minimumThroughput: 2);
        for (var call = 0; call < 2; call++)
        {
            pipeline.ExecuteOutcomeAsync(static (_, _) => Work.Fails(CancellationToken.None), ResilienceContextPool.Shared.Get(), 0).AsTask().GetAwaiter().GetResult();
        }

        return pipeline;
    }

    private async Task RunAsync(int count)
    {
        for (var call = 0; call < count; call++)
        {
            await pipeline.ExecuteAsync(Work.Succeeds);
        }
    }
}

/// <summary>A call that Polly's open breaker refuses the usual way: it throws.</summary>
internal sealed class PollyOpenThrowing : IOperation
{
    private readonly ResiliencePipeline<int> _pipeline = PollyCalls.OpenBreaker();

    public void Run(int count) => RunAsync(count).GetAwaiter().GetResult();

    private async Task RunAsync(int count)
    {
        for (var call = 0; call < count; call++)
        {
            try
            {
                await _pipeline.ExecuteAsync(Work.Succeeds);
                throw new InvalidOperationException("The breaker must be open.");
            }
            catch (BrokenCircuitException)
            {
                // The refusal.
            }
        }
    }
}

/// <summary>Calls through Polly's way without exceptions: <c>ExecuteOutcomeAsync</c> with a pooled context.</summary>
internal sealed class PollyOutcomes(ResiliencePipeline<int> pipeline, Func<CancellationToken, ValueTask<Outcome<int>>> work) : IOperation
{
    public static PollyOutcomes Open() => new(PollyCalls.OpenBreaker(), Work.Fails);

    public static PollyOutcomes Failing() => new(PollyCalls.Breaker(minimumThroughput: int.MaxValue), Work.Fails);

    public void Run(int count) => RunAsync(count).GetAwaiter().GetResult();

    private async Task RunAsync(int count)
    {
        for (var call = 0; call < count; call++)
        {
            var context = ResilienceContextPool.Shared.Get();
            await pipeline.ExecuteOutcomeAsync(static (c, work) => work(c.CancellationToken), context, work);
            ResilienceContextPool.Shared.Return(context);
        }
    }
}
