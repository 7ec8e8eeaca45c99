namespace ResilientHost;

/// <summary>What bounds fallbacks. Bound from <c>Resilience:Fallbacks</c>.</summary>
/// <remarks>Which endpoint has which fallback is said in code: <c>WithFallback</c>, <c>WithStaleFallback</c> and their attributes. Not thread-safe; read once per change of configuration.</remarks>
public sealed class FallbackOptions
{
    /// <summary>The layer's kill switch: <see langword="false"/> answers every failure with its problem.</summary>
    /// <value>Default <see langword="true"/>; reloads.</value>
    public bool Enabled { get; set; } = true;

    /// <summary>Fallbacks of one endpoint that may run at once. Beyond it the next way out is taken: a stale response, then the problem.</summary>
    /// <value>Calls, 1 to 100,000; default 10; reloads.</value>
    public int MaxConcurrency { get; set; } = 10;

    /// <summary>How long a fallback may take before it is cancelled. One that ignores its cancellation is treated as an endpoint that ignores its timeout.</summary>
    /// <value>More than zero and at most one hour; default 2 s; reloads.</value>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>The largest response body that is kept for a stale fallback.</summary>
    /// <value>Bytes, 1 to 64 MiB (67,108,864); default 256 KiB (262,144); reloads.</value>
    public int MaxStaleResponseBytes { get; set; } = 256 * 1024;

    /// <summary>How much memory all kept responses together may take, in the store that comes with the suite.</summary>
    /// <value>Bytes, at least <see cref="MaxStaleResponseBytes"/>; default 64 MiB (67,108,864). Read at start.</value>
    public long MaxStaleStoreBytes { get; set; } = 64 * 1024 * 1024;
}
