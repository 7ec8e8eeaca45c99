using Microsoft.AspNetCore.Http;

namespace ResilientHost.Refusals;

/// <summary>The one place that knows which status, code, title and retry-after each refusal has.</summary>
internal static class RefusalTable
{
    private static readonly TimeSpan ShortestDefaultWait = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestDefaultWait = TimeSpan.FromSeconds(4);

    private const string CallersShareTitle = "The service is busy and the caller has its share of it already.";

    private enum RetryRule
    {
        /// <summary>Trying again cannot help, or only the caller knows when.</summary>
        Never,

        /// <summary>As the refusing layer says; it may not know.</summary>
        AsRefused,

        /// <summary>As the refusing layer says, else a short wait with jitter so that the refused do not return together.</summary>
        Always,
    }

    // In the order of the enum, so that a row is found by its index.
    private static readonly Row[] Rows =
    [
        new(RefusalReason.CircuitOpen, StatusCodes.Status503ServiceUnavailable, ProblemCodes.CircuitOpen, "The service is recovering and does not take this call.", RetryRule.AsRefused),
        new(RefusalReason.BulkheadFull, StatusCodes.Status503ServiceUnavailable, ProblemCodes.BulkheadFull, "The service is busy and has no room for this call.", RetryRule.Always),
        new(RefusalReason.QueueTimeout, StatusCodes.Status503ServiceUnavailable, ProblemCodes.QueueTimeout, "The service is busy and the call waited too long for its turn.", RetryRule.Always),
        new(RefusalReason.Shed, StatusCodes.Status503ServiceUnavailable, ProblemCodes.Shed, "The service is overloaded and serves more important calls first.", RetryRule.Always),
        new(RefusalReason.Timeout, StatusCodes.Status504GatewayTimeout, ProblemCodes.Timeout, "The service did not answer in time.", RetryRule.Never),
        new(RefusalReason.DeadlineExceeded, StatusCodes.Status504GatewayTimeout, ProblemCodes.DeadlineExceeded, "The caller's deadline has passed.", RetryRule.Never),
        new(RefusalReason.Repairing, StatusCodes.Status503ServiceUnavailable, ProblemCodes.Repairing, "The service is repairing its state.", RetryRule.Always),
    ];

    /// <summary>The problem a refusal is answered with.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The reason is not a member of the enum.</exception>
    public static Problem Resolve(in Refusal refusal)
    {
        var index = (int)refusal.Reason;
        if ((uint)index >= (uint)Rows.Length)
        {
            throw new ArgumentOutOfRangeException(nameof(refusal), refusal.Reason, "There is no such refusal reason.");
        }

        var row = Rows[index];
        var retryAfter = row.Rule switch
        {
            RetryRule.AsRefused => refusal.RetryAfter,
            RetryRule.Always => refusal.RetryAfter ?? DefaultWait(),
            _ => null,
        };
        return refusal.IsCallersShare
            ? new Problem(StatusCodes.Status429TooManyRequests, row.Code, CallersShareTitle, retryAfter)
            : new Problem(row.Status, row.Code, row.Title, retryAfter);
    }

    /// <summary>The code of a reason, as tags and problems show it.</summary>
    public static string CodeOf(RefusalReason reason) => Rows[(int)reason].Code;

    private static TimeSpan DefaultWait() =>
        new(Random.Shared.NextInt64(ShortestDefaultWait.Ticks, LongestDefaultWait.Ticks));

    private sealed record Row(RefusalReason Reason, int Status, string Code, string Title, RetryRule Rule);
}
