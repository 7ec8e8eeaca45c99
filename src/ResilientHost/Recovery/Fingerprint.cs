namespace ResilientHost.Recovery;

/// <summary>What kind of trouble a log entry tells of; each is counted on its own.</summary>
internal enum FailureKind
{
    Other,
    Answered,
    FellBack,
    Aborted,
    HandlerThrew,
    CustomizationThrew,
    AnswerFailed,
    UnobservedTask,
}

/// <summary>What makes two exceptions the same trouble: what was thrown, where, and which endpoint it hit.</summary>
internal readonly record struct Fingerprint(FailureKind Kind, string ExceptionType, ThrowSite Site, string Endpoint)
{
    /// <summary>Shared by all that the table has no room for.</summary>
    public static Fingerprint Other { get; } = new(FailureKind.Other, "other", new ThrowSite(string.Empty, "other"), "other");

    /// <param name="kind">The kind of trouble.</param>
    /// <param name="exception">What was thrown.</param>
    /// <param name="endpoint">The endpoint's name.</param>
    /// <param name="isFresh">Nobody has asked the exception before where it was thrown.</param>
    public static Fingerprint Of(FailureKind kind, Exception exception, string endpoint, bool isFresh = false) =>
        new(kind, TypeNames.Of(exception), isFresh ? ThrowSite.OfFresh(exception) : ThrowSite.Of(exception), endpoint);
}

/// <summary>How often a fingerprint occurred beyond the entry that was logged in full.</summary>
internal readonly record struct StormSummary(Fingerprint Fingerprint, long Repeats, TimeSpan Interval);
