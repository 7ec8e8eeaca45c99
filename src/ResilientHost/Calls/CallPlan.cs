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
    private readonly CircuitBreaker _circuitBreaker;

    public CallPlan(string name, CallPolicy policy, RetryBudget budget, CircuitBreaker circuitBreaker, MonotonicClock clock, TelemetryListener? listener)
    {
        Policy = policy;
        _budget = budget;
        _circuitBreaker = circuitBreaker;
        _clock = clock;
        var calls = Builder(name, listener).AddTimeout(new TimeoutStrategyOptions
        {
            Name = "total",
            TimeoutGenerator = static arguments => new(CallExecution.Of(arguments.Context)?.Total ?? Timeout.InfiniteTimeSpan),
            OnTimeout = static arguments =>
            {
                CallExecution.Of(arguments.Context)?.IsOver = true;
                return default;
            },
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
        Attempts = Builder(name, listener).AddTimeout(new TimeoutStrategyOptions { Name = "attempt", TimeoutGenerator = arguments => new(AttemptTimeout(arguments.Context)) }).Build();
    }

    public CallPolicy Policy { get; }

    /// <summary>Around all attempts: total timeout, retry.</summary>
    public ResiliencePipeline Calls { get; }

    /// <summary>Around each attempt: its timeout.</summary>
    public ResiliencePipeline Attempts { get; }

    // The generators go beneath the bounds that Polly sets to its options' properties (10 ms).
    private ResiliencePipelineBuilder Builder(string name, TelemetryListener? listener) => new() { Name = name, TimeProvider = _clock.Provider, TelemetryListener = listener };

    // Where the call has no more time than the attempt, the end of both is the call's: only one of two timers for one moment tells whose time it was.
    private TimeSpan AttemptTimeout(ResilienceContext context) =>
        CallExecution.Of(context) is { End: not long.MaxValue and var end } && _clock.Elapsed(_clock.Timestamp(), end) <= Policy.AttemptTimeout ? Timeout.InfiniteTimeSpan : Policy.AttemptTimeout;

    // Polly also asks after the last attempt.
    private bool MayRetry(in RetryPredicateArguments<object> arguments)
    {
        if (arguments.Outcome.Exception is not { } exception
            || CallExecution.Of(arguments.Context) is not { } execution
            || arguments.Context.CancellationToken.IsCancellationRequested
            || execution.Caller.IsCancellationRequested
            || !Policy.MayRetry(exception, execution.IsLetGo(exception, _clock.Timestamp(), arguments.Context.CancellationToken)))
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
            || IsRefusedUntilAfter(delay)
            || !_budget.TryWithdraw();
        (execution.NextDelay, execution.IsPaid, execution.LastFailure) = (delay, !execution.IsExhausted, exception);
        return !execution.IsExhausted;
    }

    private bool IsRefusedUntilAfter(TimeSpan delay) =>
        _circuitBreaker.IsRefusing(_clock.CoarseTimestamp(), out var refusal) && (refusal.RetryAfter is not { } wait || wait > delay);
}
