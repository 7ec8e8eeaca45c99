using Microsoft.AspNetCore.Http;

namespace ResilientHost.Pipeline;

/// <summary>What became of a request: the closed set of values of <see cref="ResilienceDiagnostics.Tags.Disposition"/>.</summary>
internal static class RequestDisposition
{
    /// <summary>The endpoint answered below 500.</summary>
    public const string Succeeded = "succeeded";

    /// <summary>The endpoint itself answered 500 or above.</summary>
    public const string Failed = "failed";

    /// <summary>A layer refused the request.</summary>
    public const string Refused = "refused";

    /// <summary>An exception was turned into an answer.</summary>
    public const string Recovered = "recovered";

    /// <summary>The request's timeout ran out before its response started.</summary>
    public const string TimedOut = "timed_out";

    /// <summary>A fallback answered in place of the endpoint.</summary>
    public const string Fallback = "fallback";

    /// <summary>The client left, or the connection had to be aborted.</summary>
    public const string Aborted = "aborted";

    public static string Of(HttpContext context, CallOutcome outcome, bool recovered) =>
        outcome == CallOutcome.Ignored ? Aborted
        : recovered ? (context.RequestAborted.IsCancellationRequested ? Aborted : Recovered)
        : outcome == CallOutcome.Succeeded ? Succeeded
        : Failed;
}
