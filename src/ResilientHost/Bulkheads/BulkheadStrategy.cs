using Polly;

namespace ResilientHost.Bulkheads;

/// <summary>A bulkhead in a Polly pipeline, for callbacks of any result.</summary>
internal sealed class BulkheadStrategy(Bulkhead bulkhead, Func<Outcome<object>, CallOutcome>? classify) : ResilienceStrategy
{
    protected override ValueTask<Outcome<TResult>> ExecuteCore<TResult, TState>(
        Func<ResilienceContext, TState, ValueTask<Outcome<TResult>>> callback, ResilienceContext context, TState state) =>
        BulkheadCall.ExecuteAsync(bulkhead, callback, context, state, PollyCallOutcomes.For<TResult>(classify));
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

        Outcome<TResult> outcome;
        try
        {
            outcome = await callback(context, state);
        }
        catch (Exception exception)
        {
            // Polly hands down callbacks that turn exceptions into outcomes; one of ExecuteOutcomeAsync's own need not.
            outcome = Outcome.FromException<TResult>(exception);
        }

        bulkhead.Exit(admission.Lease, PollyCallOutcomes.Classify(ref outcome, classify, context));
        return outcome;
    }
}
