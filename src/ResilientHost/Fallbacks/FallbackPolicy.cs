namespace ResilientHost.Fallbacks;

/// <summary>What bounds fallbacks; immutable, built once per change of <see cref="FallbackOptions"/>.</summary>
internal sealed class FallbackPolicy(FallbackOptions options)
{
    public bool Enabled { get; } = options.Enabled;

    public int MaxConcurrency { get; } = options.MaxConcurrency;

    public TimeSpan Timeout { get; } = options.Timeout;

    public int MaxStaleResponseBytes { get; } = options.MaxStaleResponseBytes;

    public long MaxStaleStoreBytes { get; } = options.MaxStaleStoreBytes;
}
