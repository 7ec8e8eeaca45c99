using System.Globalization;
using ResilientHost.Recovery;
using ResilientHost.Refusals;

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

    /// <summary>The type of the exception, the code of the refusal, or the status: low in cardinality, and nothing of what it says.</summary>
    public string Describe() =>
        Exception is { } exception ? TypeNames.Of(exception)
        : Refusal is { } refusal ? RefusalTable.CodeOf(refusal.Reason)
        : StatusCode.GetValueOrDefault().ToString(CultureInfo.InvariantCulture);
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
