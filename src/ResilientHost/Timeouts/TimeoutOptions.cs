namespace ResilientHost;

/// <summary>How long requests may take until their response starts. Bound from <c>Resilience:Timeouts</c>.</summary>
/// <remarks>Not thread-safe; read once per change of configuration.</remarks>
public sealed class TimeoutOptions
{
    /// <summary>The layer's kill switch: <see langword="false"/> takes every timeout of ours off, also those that endpoints ask for.</summary>
    /// <value>Default <see langword="true"/>; reloads.</value>
    public bool Enabled { get; set; } = true;

    /// <summary>The timeout of endpoints that say nothing of their own.</summary>
    /// <value>More than zero and at most one day; default <see langword="null"/>: none. Reloads.</value>
    public TimeSpan? Default { get; set; }

    /// <summary>
    /// How long an endpoint may take to return once it was cancelled, before the connection (HTTP/2 and HTTP/3: the stream) is aborted.
    /// </summary>
    /// <value>More than zero and at most one hour; default 1 s; reloads.</value>
    public TimeSpan Grace { get; set; } = TimeSpan.FromSeconds(1);
}
