namespace FailureDrill.Load;

/// <summary>What a customer got for one request.</summary>
/// <param name="Status">The status code; 0 when there was no complete answer.</param>
/// <param name="Failure">Why there was none: <c>timed out</c>, <c>aborted</c>, <c>left</c>.</param>
/// <param name="Elapsed">From the sending to the end of the body.</param>
/// <param name="Body">The body of an answer other than 200, and whatever arrived of an aborted one.</param>
internal sealed record Answer(int Status, string? Failure, TimeSpan Elapsed, string? ContentType = null, string Body = "", bool HasRetryAfter = false)
{
    public Problem? Problem { get; init; }

    /// <summary>How reports name it: <c>200</c>, <c>503 circuit_open</c>, <c>timed out</c>.</summary>
    public string Kind => Failure ?? (Problem?.Code is { } code ? $"{Status} {code}" : $"{Status}");

    public bool IsRefusal(string code) => Status == 503 && Problem?.Code == code && HasRetryAfter;
}
