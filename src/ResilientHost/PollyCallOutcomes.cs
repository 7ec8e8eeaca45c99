using Polly;
using Polly.Timeout;
using ResilientHost.Refusals;

namespace ResilientHost;

/// <summary>What the outcomes of a Polly pipeline mean to a layer in it.</summary>
internal static class PollyCallOutcomes
{
    /// <summary>
    /// How a call counts. The caller's cancellation and a refusal further in are ignored without asking anybody; the rest is the classifier's to say, else an
    /// exception is a failure. A classifier that throws tells nothing about the call: it is ignored, and the error becomes the outcome.
    /// </summary>
    public static CallOutcome Classify<T>(ref Outcome<T> outcome, Func<Outcome<T>, CallOutcome>? classify, ResilienceContext context)
    {
        if (IsIgnored(outcome.Exception, context))
        {
            return CallOutcome.Ignored;
        }

        if (classify is null)
        {
            return outcome.Exception is null ? CallOutcome.Succeeded : CallOutcome.Failed;
        }

        try
        {
            var ended = classify(outcome);
            return Enum.IsDefined(ended)
                ? ended
                : throw new InvalidOperationException($"The classifier of a resilience layer returned {(int)ended}, which is no {nameof(CallOutcome)}.");
        }
        catch (Exception broken)
        {
            outcome = Outcome.FromException<T>(broken);
            return CallOutcome.Ignored;
        }
    }

    /// <summary>A classifier of any result as one of <typeparamref name="T"/>.</summary>
    public static Func<Outcome<T>, CallOutcome>? For<T>(Func<Outcome<object>, CallOutcome>? classify) =>
        classify is null
            ? null
            : outcome => classify(outcome.Exception is { } exception ? Outcome.FromException<object>(exception) : Outcome.FromResult<object>(outcome.Result));

    // A timeout is no refusal, though Polly's derives from the same exception: the thing was called and did not answer.
    private static bool IsIgnored(Exception? exception, ResilienceContext context) => exception switch
    {
        null => false,
        TimeoutRejectedException => false,
        RefusedException or OutboundRefusedException or AggregateException when RefusalExceptions.Of(exception) is { } refusal =>
            RefusalExceptions.OutcomeOf(refusal) == CallOutcome.Ignored,
        ExecutionRejectedException => true,
        OperationCanceledException => context.CancellationToken.IsCancellationRequested,
        _ => false,
    };
}
