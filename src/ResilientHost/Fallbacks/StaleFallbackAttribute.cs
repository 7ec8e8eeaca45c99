namespace ResilientHost;

/// <summary>Answers with the last good response, when there is one that is young enough, while the endpoint cannot answer.</summary>
/// <param name="maxAgeSeconds">How old the response may be: seconds, 1 to 604,800 (a week).</param>
/// <remarks>The twin of <c>WithStaleFallback</c>, where the rules are written down.</remarks>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Method)]
public sealed class StaleFallbackAttribute(int maxAgeSeconds) : Attribute, IStaleFallbackMetadata
{
    /// <summary>How old the response may be.</summary>
    /// <value>Seconds, 1 to 604,800; anything else is an error at start.</value>
    public int MaxAgeSeconds { get; } = maxAgeSeconds;

    /// <summary>The query keys on which the response depends.</summary>
    /// <value><see langword="null"/> (default): those that the handler binds; all of them, where that cannot be told.</value>
    public string[]? QueryKeys { get; init; }

    TimeSpan IStaleFallbackMetadata.MaxAge => TimeSpan.FromSeconds(MaxAgeSeconds);

    IReadOnlyList<string>? IStaleFallbackMetadata.QueryKeys => QueryKeys;
}
