using Polly;
using Polly.Timeout;

namespace ResilientHost.CircuitBreaking;

/// <summary>What Polly's outcomes mean to a circuit.</summary>
internal static class CircuitOutcomes
{
    /// <summary>Whether the outcome says nothing about the protected thing: the caller gave up, or a layer further in refused.</summary>
    /// <remarks>A timeout is no refusal, though Polly's derives from the same exception: the thing was called and did not answer.</remarks>
    public static bool IsIgnored(Exception? exception, ResilienceContext context) => exception switch
    {
        null => false,
        TimeoutRejectedException or RefusedException { Refusal.Reason: RefusalReason.Timeout } => false,
        ExecutionRejectedException => true,
        OperationCanceledException => context.CancellationToken.IsCancellationRequested,
        _ => false,
    };

    public static CallOutcome Of(Exception? exception) => exception is null ? CallOutcome.Succeeded : CallOutcome.Failed;

    /// <summary>Lets the enumeration's values pass: a classifier's slip must surface before the permit is ended with it.</summary>
    public static CallOutcome Checked(CallOutcome outcome) =>
        Enum.IsDefined(outcome)
            ? outcome
            : throw new InvalidOperationException($"The classifier of a circuit breaker returned {(int)outcome}, which is no {nameof(CallOutcome)}.");
}
