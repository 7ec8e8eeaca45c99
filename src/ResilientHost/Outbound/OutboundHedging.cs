using Polly;
using Polly.Hedging;
using ResilientHost.Hosting;

namespace ResilientHost.Outbound;

/// <summary>Sends calls whose slow attempts get another beside them. Thread-safe.</summary>
/// <remarks>
/// Polly's hedging strategy decides when an attempt begins and which outcome is taken. It would wait for the losers, and keep the first failure whatever it is; here losers are cancelled and left to end by
/// themselves (<see cref="HedgedAttempt"/>), and an answer is preferred to an exception (<see cref="HedgedCall"/>). One pipeline serves every client: what differs between calls is asked of the call.
/// </remarks>
internal sealed class OutboundHedging(MonotonicClock clock)
{
    // As many as options allow; a call asks for fewer by making no more.
    private const int MostAttempts = 10;

    private static readonly ResiliencePropertyKey<HedgedCall> Key = new("ResilientHost.Outbound.HedgedCall");

    private readonly ResiliencePipeline<HedgedAttempt> _pipeline = new ResiliencePipelineBuilder<HedgedAttempt> { TimeProvider = clock.Provider }
        .AddHedging(new HedgingStrategyOptions<HedgedAttempt>
        {
            MaxHedgedAttempts = MostAttempts - 1,
            DelayGenerator = static arguments => new(CallOf(arguments.Context).Delay),
            ActionGenerator = static arguments => CallOf(arguments.PrimaryContext).TryBegin(arguments.AttemptNumber + 1) is { } attempt ? () => attempt.RunAsync(arguments.ActionContext.CancellationToken) : null,
            ShouldHandle = static arguments => new(CallOf(arguments.Context).WaitsForOthers(arguments.Outcome)),
        })
        .Build();

    /// <summary>Makes the call, first attempt included. Never throws; what is not returned is disposed, also what comes late.</summary>
    /// <param name="call">Of a safe method, with a policy for hedging, and with more than one attempt left.</param>
    public async ValueTask<AttemptResult> SendAsync(OutboundCall call)
    {
        // Attempts that lose may end long after the caller has its answer, and the call is what they end with.
        call.Keep();
        var hedged = new HedgedCall(call, call.Policy.Hedging!);
        var context = ResilienceContextPool.Shared.Get(call.CallerToken);
        context.Properties.Set(Key, hedged);
        try
        {
            var outcome = await _pipeline.ExecuteOutcomeAsync(static (context, call) => call.First().RunAsync(context.CancellationToken), context, hedged);
            return hedged.Take(outcome.Result);
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
    }

    private static HedgedCall CallOf(ResilienceContext context) => context.Properties.GetValue(Key, null!);
}
