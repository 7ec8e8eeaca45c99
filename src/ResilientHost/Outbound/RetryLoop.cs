using Polly;
using Polly.Retry;
using ResilientHost.Hosting;

namespace ResilientHost.Outbound;

/// <summary>Makes a failed attempt again: Polly's retry strategy, with its first result handed to it and every decision ours. Thread-safe.</summary>
internal sealed class RetryLoop
{
    private static readonly ResiliencePropertyKey<RetryRun> RunKey = new("ResilientHost.RetryRun");

    private readonly ResiliencePipeline<AttemptResult> _pipeline;
    private readonly Func<double> _random;

    public RetryLoop(MonotonicClock clock, Func<double>? random = null)
    {
        _random = random ?? Random.Shared.NextDouble;
        _pipeline = new ResiliencePipelineBuilder<AttemptResult> { TimeProvider = clock.Provider }
            .AddRetry(new RetryStrategyOptions<AttemptResult>
            {
                // How many there may be differs from call to call, and is part of the decision.
                MaxRetryAttempts = int.MaxValue,
                ShouldHandle = static args => new(args.Context.Properties.TryGetValue(RunKey, out var run) && run.MayGoOn(args.Outcome)),
                DelayGenerator = static args => new(args.Context.Properties.TryGetValue(RunKey, out var run) ? run.Delay : null),
            })
            .Build();
    }

    /// <summary>Goes on from a failed first attempt. Never throws.</summary>
    public async ValueTask<AttemptResult> ContinueAsync(OutboundCall call, AttemptResult first)
    {
        // Polly has it in its context from here on. Nothing runs on when this is over, but failures are rare enough not to count on that.
        call.Keep();
        var run = new RetryRun(call, first, _random);
        if (!run.MayGoOn(Outcome.FromResult(first)))
        {
            return first;
        }

        var context = ResilienceContextPool.Shared.Get(call.CallerToken);
        try
        {
            context.Properties.Set(RunKey, run);
            return run.End(await _pipeline.ExecuteOutcomeAsync(static (_, run) => run.NextAsync(), context, run));
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
    }
}
