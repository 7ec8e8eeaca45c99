using Polly;
using Polly.Timeout;

namespace ResilientHost.Bulkheads;

/// <summary>A bulkhead in a Polly pipeline, for callbacks of any result.</summary>
internal sealed class BulkheadStrategy(Bulkhead bulkhead, Func<Outcome<object>, CallOutcome>? classify) : ResilienceStrategy
{
    protected override ValueTask<Outcome<TResult>> ExecuteCore<TResult, TState>(
        Func<ResilienceContext, TState, ValueTask<Outcome<TResult>>> callback, ResilienceContext context, TState state) =>
        BulkheadCall.ExecuteAsync(
            bulkhead,
            callback,
            context,
            state,
            classify is null
                ? null
                : outcome => classify(outcome.Exception is { } error ? Outcome.FromException<object>(error) : Outcome.FromResult<object>(outcome.Result)));
}

/// <summary>A bulkhead in a Polly pipeline of one result type.</summary>
internal sealed class BulkheadStrategy<T>(Bulkhead bulkhead, Func<Outcome<T>, CallOutcome>? classify) : ResilienceStrategy<T>
{
    protected override ValueTask<Outcome<T>> ExecuteCore<TState>(
        Func<ResilienceContext, TState, ValueTask<Outcome<T>>> callback, ResilienceContext context, TState state) =>
        BulkheadCall.ExecuteAsync(bulkhead, callback, context, state, classify);
}

/// <summary>One call through a bulkhead, as Polly sees it.</summary>
internal static class BulkheadCall
{
    public static async ValueTask<Outcome<TResult>> ExecuteAsync<TResult, TState>(
        Bulkhead bulkhead,
        Func<ResilienceContext, TState, ValueTask<Outcome<TResult>>> callback,
        ResilienceContext context,
        TState state,
        Func<Outcome<TResult>, CallOutcome>? classify)
    {
        BulkheadAdmission admission;
        try
        {
            admission = await bulkhead.EnterAsync(context.CancellationToken);
        }
        catch (OperationCanceledException error)
        {
            return Outcome.FromException<TResult>(error);
        }

        if (!admission.IsAdmitted)
        {
            return Outcome.FromException<TResult>(new RefusedException(admission.Refusal));
        }

        // What is thrown past the outcome (by the callback or the classifier) is a failure too.
        var ended = CallOutcome.Failed;
        try
        {
            var outcome = await callback(context, state);
            ended = classify is null ? Classify(outcome.Exception, context) : classify(outcome);
            return outcome;
        }
        finally
        {
            bulkhead.Exit(admission.Lease, ended);
        }
    }

    /// <summary>No exception: succeeded. The caller's cancellation or another layer's refusal: ignored, but a timeout is a failure.</summary>
    private static CallOutcome Classify(Exception? exception, ResilienceContext context) => exception switch
    {
        null => CallOutcome.Succeeded,
        TimeoutRejectedException or RefusedException { Refusal.Reason: RefusalReason.Timeout } => CallOutcome.Failed,
        ExecutionRejectedException => CallOutcome.Ignored,
        OperationCanceledException when context.CancellationToken.IsCancellationRequested => CallOutcome.Ignored,
        _ => CallOutcome.Failed,
    };
}
