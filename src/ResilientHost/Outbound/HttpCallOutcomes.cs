using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;
using Polly;
using Polly.Timeout;
using ResilientHost.Hosting;
using ResilientHost.Propagation;
using ResilientHost.Refusals;

namespace ResilientHost.Outbound;

/// <summary>What answers and exceptions of the transport say about the dependency.</summary>
internal static class HttpCallOutcomes
{
    /// <summary>500 and above, 408 and 429 are failures; whatever else is an answer is one.</summary>
    public static bool IsFailure(HttpStatusCode status) => (int)status >= 500 || status is HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests;

    public static AttemptResult Of(HttpResponseMessage response, MonotonicClock clock) =>
        IsFailure(response.StatusCode)
            ? new(AttemptEnd.Failed, response, null) { RetryAfter = RetryAfter.Read(response, clock), IsFinal = SaysNo(response) }
            : new(AttemptEnd.Succeeded, response, null);

    /// <summary>What an exception says that neither the caller's cancellation nor a timeout of ours explains.</summary>
    public static AttemptResult Of(Exception exception) => exception switch
    {
        // The layers of another client, further in.
        _ when RefusalExceptions.Of(exception) is { } refusal => Of(exception, refusal),
        ExecutionRejectedException and not TimeoutRejectedException => new(AttemptEnd.Refused, null, exception),
        HttpRequestException failure => new(AttemptEnd.Failed, null, exception) { IsFinal = IsFinal(failure.HttpRequestError) },

        // Cancelled, though nobody here did: a connect timeout comes so.
        OperationCanceledException or TimeoutException or TimeoutRejectedException or IOException or SocketException or AuthenticationException => new(AttemptEnd.Failed, null, exception),
        _ => new(AttemptEnd.Broken, null, exception),
    };

    /// <summary>Whether an exception is how the transport may say that it was cancelled.</summary>
    public static bool MayBeOfCancellation(Exception exception) =>
        exception is not OutboundRefusedException and (OperationCanceledException or HttpRequestException or IOException or SocketException or ObjectDisposedException);

    // No further attempt fits into the time of a request whose time is over.
    private static AttemptResult Of(Exception exception, in Refusal refusal) =>
        RefusalExceptions.OutcomeOf(refusal) == CallOutcome.Failed
            ? new(AttemptEnd.Failed, null, exception) { IsFinal = refusal.Reason == RefusalReason.DeadlineExceeded }
            : new(refusal.Reason == RefusalReason.DeadlineExceeded ? AttemptEnd.DeadlineExceeded : AttemptEnd.Refused, null, exception);

    // What was agreed on, or is set up, on either side; it will not be otherwise the next time.
    private static bool IsFinal(HttpRequestError error) => error
        is HttpRequestError.UserAuthenticationError
        or HttpRequestError.ConfigurationLimitExceeded
        or HttpRequestError.VersionNegotiationError
        or HttpRequestError.ExtendedConnectNotSupported;

    private static bool SaysNo(HttpResponseMessage response) =>
        (int)response.StatusCode >= 500
        && response.Headers.NonValidated.TryGetValues(PropagationHeaders.Retry, out var said)
        && said.Count == 1
        && string.Equals(said.ToString(), "no", StringComparison.OrdinalIgnoreCase);
}
