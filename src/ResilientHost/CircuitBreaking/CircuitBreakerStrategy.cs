using Polly;

namespace ResilientHost.CircuitBreaking;

/// <summary>A <see cref="CircuitBreaker"/> around the calls of a Polly pipeline with one result type.</summary>
internal sealed class CircuitBreakerStrategy<T>(CircuitBreaker breaker, Func<Outcome<T>, CallOutcome>? classify) : ResilienceStrategy<T>
{
    protected override ValueTask<Outcome<T>> ExecuteCore<TState>(
        Func<ResilienceContext, TState, ValueTask<Outcome<T>>> callback,
        ResilienceContext context,
        TState state) =>
        CircuitBreakerCall<T>.ExecuteAsync(breaker, classify, callback, context, state);
}

/// <summary>A <see cref="CircuitBreaker"/> around the calls of a Polly pipeline of any result type.</summary>
internal sealed class CircuitBreakerStrategy(CircuitBreaker breaker, Func<Outcome<object>, CallOutcome>? classify) : ResilienceStrategy
{
    protected override ValueTask<Outcome<TResult>> ExecuteCore<TResult, TState>(
        Func<ResilienceContext, TState, ValueTask<Outcome<TResult>>> callback,
        ResilienceContext context,
        TState state) =>
        CircuitBreakerCall<TResult>.ExecuteAsync(breaker, PollyCallOutcomes.For<TResult>(classify), callback, context, state);
}

/// <summary>One call through a circuit. It allocates nothing when admitted and completed synchronously.</summary>
internal static class CircuitBreakerCall<T>
{
    public static ValueTask<Outcome<T>> ExecuteAsync<TState>(
        CircuitBreaker breaker,
        Func<Outcome<T>, CallOutcome>? classify,
        Func<ResilienceContext, TState, ValueTask<Outcome<T>>> callback,
        ResilienceContext context,
        TState state)
    {
        if (!breaker.TryEnter(out var permit, out var refusal))
        {
            return new(Outcome.FromException<T>(new RefusedException(refusal)));
        }

        ValueTask<Outcome<T>> call;
        try
        {
            call = callback(context, state);
        }
        catch (Exception exception)
        {
            return new(Finish(breaker, classify, permit, context, Outcome.FromException<T>(exception)));
        }

        return call.IsCompletedSuccessfully
            ? new(Finish(breaker, classify, permit, context, call.Result))
            : AwaitAsync(breaker, classify, permit, context, call);
    }

    private static async ValueTask<Outcome<T>> AwaitAsync(
        CircuitBreaker breaker,
        Func<Outcome<T>, CallOutcome>? classify,
        CircuitPermit permit,
        ResilienceContext context,
        ValueTask<Outcome<T>> call)
    {
        Outcome<T> outcome;
        try
        {
            outcome = await call;
        }
        catch (Exception exception)
        {
            // Polly hands down callbacks that turn exceptions into outcomes; one of ExecuteOutcomeAsync's own need not.
            outcome = Outcome.FromException<T>(exception);
        }

        return Finish(breaker, classify, permit, context, outcome);
    }

    private static Outcome<T> Finish(
        CircuitBreaker breaker,
        Func<Outcome<T>, CallOutcome>? classify,
        in CircuitPermit permit,
        ResilienceContext context,
        Outcome<T> outcome)
    {
        breaker.Exit(permit, PollyCallOutcomes.Classify(ref outcome, classify, context));
        return outcome;
    }
}
