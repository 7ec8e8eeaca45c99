namespace ResilientHost.Pipeline;

/// <summary>What became of a request: the closed set of values of <see cref="ResilienceDiagnostics.Tags.Disposition"/>.</summary>
internal static class RequestDisposition
{
    /// <summary>The endpoint answered below 500, or an exception was turned into such an answer.</summary>
    public const string Succeeded = "succeeded";

    /// <summary>The endpoint itself answered 500 or above, or its exception was passed on.</summary>
    public const string Failed = "failed";

    /// <summary>A layer refused the request, or a call that its endpoint made.</summary>
    public const string Refused = "refused";

    /// <summary>An exception was turned into an answer of 500 or above, or cut off the one that had begun.</summary>
    public const string Recovered = "recovered";

    /// <summary>The request's timeout ran out before its response started.</summary>
    public const string TimedOut = "timed_out";

    /// <summary>A fallback answered in place of the endpoint.</summary>
    public const string Fallback = "fallback";

    /// <summary>The client left.</summary>
    public const string Aborted = "aborted";

    /// <summary>All of them.</summary>
    public static IReadOnlyList<string> All { get; } = [Succeeded, Failed, Refused, Recovered, TimedOut, Fallback, Aborted];

    /// <summary>Of a request that its endpoint ended by itself.</summary>
    public static string Of(CallOutcome outcome) => outcome switch
    {
        CallOutcome.Succeeded => Succeeded,
        CallOutcome.Ignored => Aborted,
        _ => Failed,
    };
}
