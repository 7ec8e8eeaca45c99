using Polly;
using Polly.Retry;
using Polly.Telemetry;
using Polly.Timeout;
using ResilientHost.Hosting;
using ResilientHost.Outbound;

namespace ResilientHost.Calls;

/// <summary>A policy, and the two parts of the pipeline that Polly carries out for it. A call takes one and keeps it to its end. Immutable.</summary>
internal sealed class CallPlan
{
    private readonly MonotonicClock _clock;
    private readonly RetryBudget _budget;

    public CallPlan(string name, CallPolicy policy, RetryBudget budget, MonotonicClock clock, TelemetryListener? listener)
    {
        Policy = policy;
        _budget = budget;
        _clock = clock;
        var calls = Builder(name, listener).AddTimeout(new TimeoutStrategyOptions
        {
            Name = "total",
            TimeoutGenerator = static arguments => new(CallExecution.Of(arguments.Context)?.Total ?? Timeout.InfiniteTimeSpan),
        });
        if (policy.Retry.MaxAttempts > 1)
        {
            calls.AddRetry(new RetryStrategyOptions
            {
                MaxRetryAttempts = policy.Retry.MaxAttempts - 1,
                ShouldHandle = arguments => new(MayRetry(arguments)),
                DelayGenerator = static arguments => new(CallExecution.Of(arguments.Context)?.NextDelay),
            });
        }

        Calls = calls.Build();
        Attempts = Builder(name, listener).AddTimeout(new TimeoutStrategyOptions { Name = "attempt", TimeoutGenerator = _ => new(policy.AttemptTimeout) }).Build();
    }

    public CallPolicy Policy { get; }

    /// <summary>Around all attempts: total timeout, retry.</summary>
    public ResiliencePipeline Calls { get; }

    /// <summary>Around each attempt: its timeout.</summary>
    public ResiliencePipeline Attempts { get; }

    // The generators go beneath the bounds that Polly sets to its options' properties (10 ms).
    private ResiliencePipelineBuilder Builder(string name, TelemetryListener? listener) => new() { Name = name, TimeProvider = _clock.Provider, TelemetryListener = listener };

    // Polly also asks after the last attempt.
    private bool MayRetry(in RetryPredicateArguments<object> arguments)
    {
        if (arguments.Outcome.Exception is not { } exception
            || CallExecution.Of(arguments.Context) is not { } execution
            || arguments.Context.CancellationToken.IsCancellationRequested
            || !Policy.MayRetry(exception, execution.Caller))
        {
            return false;
        }

        var delay = RetryDelay.Of(Policy.Retry, arguments.AttemptNumber + 1, retryAfter: null, Random.Shared.NextDouble());
        var now = _clock.Timestamp();
        execution.IsExhausted = arguments.AttemptNumber >= Policy.Retry.MaxAttempts - 1

            // Whoever called us makes it again already: attempts of each layer would multiply.
            || execution.Inbound is { Attempt: > 1 }

            // It would not be over before the call is.
            || (execution.End != long.MaxValue && _clock.ToTimestampTicks(delay) >= execution.End - now)
            || !_budget.TryWithdraw();
        execution.NextDelay = delay;
        return !execution.IsExhausted;
    }
}
