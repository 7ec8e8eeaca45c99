using ResilientHost.Hosting;

namespace ResilientHost;

/// <summary>When a slow attempt gets a second one beside it: the first good answer is taken, the others are cancelled.</summary>
/// <remarks>
/// Applies to GET, HEAD, OPTIONS and TRACE. Off until <see cref="Delay"/> or <see cref="Quantile"/> is set. An attempt that fails makes the next one begin at once, or when its <c>Retry-After</c> says
/// (<see cref="RetryOptions.MaxRetryAfter"/> bounds it). Hedged attempts come out of the same budget as retries. Not thread-safe; read once per change of configuration. Source: Dean and Barroso, "The Tail at Scale", 2013.
/// </remarks>
public sealed class HedgingOptions : ICopiedOptions
{
    /// <summary>How long an attempt may take before the next one begins.</summary>
    /// <value>From 0 (all at once) to 1 hour; default <see langword="null"/>. With <see cref="Quantile"/>: what holds until enough latencies are known.</value>
    public TimeSpan? Delay { get; set; }

    /// <summary>The quantile of the authority's latest latencies after which the next attempt begins.</summary>
    /// <value>From 0.5 to 0.999; default <see langword="null"/>.</value>
    public double? Quantile { get; set; }

    /// <summary>Attempts at one call, the first included.</summary>
    /// <value>From 2 to 10; default 2.</value>
    public int MaxAttempts { get; set; } = 2;

    /// <summary>Whether hedging is asked for.</summary>
    internal bool IsOn => Delay is not null || Quantile is not null;

    object ICopiedOptions.Copy() => MemberwiseClone();
}
