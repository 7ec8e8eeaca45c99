namespace ResilientHost;

/// <summary>The only "no" of the suite: why a layer did not admit a call, and when to come back.</summary>
/// <param name="Reason">Why the call was refused.</param>
/// <param name="Source">Name of the refusing instance, such as the breaker's or bulkhead's name.</param>
/// <param name="RetryAfter">
/// How long the caller should wait before it tries again; <see langword="null"/> when nobody can tell. Never negative.
/// </param>
/// <remarks>A value, never an exception, on the inbound path. Only <c>Refusals/</c> knows status codes and problem types.</remarks>
public readonly record struct Refusal(RefusalReason Reason, string Source, TimeSpan? RetryAfter)
{
    /// <summary>Whether the caller was over its own share of something, so that coming back less often would help it; else the service had no room for anyone.</summary>
    /// <value>Default <see langword="false"/>. <see langword="true"/> makes the answer's status 429.</value>
    public bool IsCallersShare { get; init; }
}
