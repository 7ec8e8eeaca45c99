namespace FailureDrill.Load;

/// <summary>What a customer got for one request.</summary>
/// <param name="Status">The status code; 0 when there was no complete answer.</param>
/// <param name="Failure">Why there was none: <c>timed out</c>, <c>aborted</c>, <c>left</c>.</param>
/// <param name="Elapsed">From the sending to the end of the body.</param>
/// <param name="Body">The body of a complete answer.</param>
internal sealed record Answer(int Status, string? Failure, TimeSpan Elapsed, string Body = "")
{
    /// <summary>What was asked.</summary>
    public required Request Request { get; init; }

    public Problem? Problem { get; init; }

    public bool HasRetryAfter { get; init; }

    /// <summary>Which fallback gave the answer: <c>delegate</c>, <c>stale</c>; <see langword="null"/> when none did.</summary>
    public string? Fallback { get; init; }

    /// <summary>How old the answer says it is.</summary>
    public TimeSpan? Age { get; init; }

    public bool IsNoStore { get; init; }

    /// <summary>How reports name it: <c>200</c>, <c>200 stale</c>, <c>503 circuit_open</c>, <c>timed out</c>.</summary>
    public string Kind => Failure ?? ((Fallback ?? Problem?.Code) is { } detail ? $"{Status} {detail}" : $"{Status}");

    /// <summary>Whether the endpoint itself gave the answer, and a good one.</summary>
    public bool IsServed => Status == 200 && Fallback is null;

    public bool IsRefusal(string code, int status = 503) => Status == status && Problem?.Code == code && HasRetryAfter;

    /// <summary>Whether it is a good answer of that fallback which no cache keeps.</summary>
    public bool IsFallback(string kind) => Status == 200 && Fallback == kind && IsNoStore;
}
