namespace ResilientHost.Fallbacks;

/// <summary>Why a fallback is needed: exactly one of the three.</summary>
internal readonly record struct FallbackCause
{
    public FallbackCause(Exception exception) => Exception = exception;

    public FallbackCause(in Refusal refusal) => Refusal = refusal;

    public FallbackCause(int statusCode) => StatusCode = statusCode;

    public Exception? Exception { get; }

    public Refusal? Refusal { get; }

    /// <summary>The status, 500 or above, of an answer that was begun and held back.</summary>
    public int? StatusCode { get; }
}

/// <summary>What came of asking for a fallback.</summary>
internal enum FallbackResult
{
    /// <summary>None had an answer; the response is as it was, or empty. The failure itself is to be answered.</summary>
    None,

    /// <summary>The caller has an answer.</summary>
    Answered,

    /// <summary>A fallback began an answer and did not end it, or did not end at all: the connection is aborted.</summary>
    Cut,
}
