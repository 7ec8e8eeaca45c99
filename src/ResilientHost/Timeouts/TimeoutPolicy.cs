namespace ResilientHost.Timeouts;

/// <summary>How long requests may take; immutable, built once per change of <see cref="TimeoutOptions"/>.</summary>
/// <param name="options">Valid options.</param>
internal sealed class TimeoutPolicy(TimeoutOptions options)
{
    public bool Enabled { get; } = options.Enabled;

    /// <summary>The timeout of endpoints that say nothing of their own; <see langword="null"/>: none.</summary>
    public TimeSpan? Default { get; } = options.Default;

    public TimeSpan Grace { get; } = options.Grace;
}
