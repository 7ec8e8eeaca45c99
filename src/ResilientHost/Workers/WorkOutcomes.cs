using Polly;
using Polly.Timeout;
using ResilientHost.Refusals;

namespace ResilientHost.Workers;

/// <summary>How a pass of a worker's work counts, and what telemetry calls that.</summary>
internal static class WorkOutcomes
{
    /// <summary>
    /// What an exception says of the thing that the pass used: nothing, if a layer further in, also one of an HTTP client, refused the call. A timeout is no refusal, though Polly's derives from the same exception.
    /// </summary>
    public static CallOutcome Of(Exception exception) => exception switch
    {
        TimeoutRejectedException => CallOutcome.Failed,
        _ when RefusalExceptions.Of(exception) is { } refusal => RefusalExceptions.OutcomeOf(refusal),
        ExecutionRejectedException => CallOutcome.Ignored,
        _ => CallOutcome.Failed,
    };

    /// <summary>As tags show it.</summary>
    public static string NameOf(CallOutcome outcome) => outcome switch
    {
        CallOutcome.Succeeded => "succeeded",
        CallOutcome.Failed => "failed",
        _ => "ignored",
    };
}
