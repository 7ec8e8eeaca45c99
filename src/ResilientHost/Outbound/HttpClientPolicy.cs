namespace ResilientHost.Outbound;

/// <summary>How the calls of one client are protected: what its options say, with what they leave open decided. Immutable.</summary>
/// <param name="options">Validated options; copied.</param>
/// <param name="enabled">Whether the suite, the layer and the client are on.</param>
internal sealed class HttpClientPolicy(HttpClientResilienceOptions options, bool enabled)
{
    private static readonly TimeSpan DefaultAttemptTimeout = TimeSpan.FromSeconds(10);

    public bool Enabled { get; } = enabled && options.Enabled;

    /// <summary><see langword="null"/>: no limit.</summary>
    public TimeSpan? TotalTimeout { get; } = options.TotalTimeout;

    /// <summary>What is asked for; <see langword="null"/>: it follows from the call's total, see <see cref="AttemptTimeoutOf"/>.</summary>
    public TimeSpan? AskedAttemptTimeout { get; } = options.AttemptTimeout;

    public TimeSpan AttemptTimeout { get; } = AttemptTimeoutOf(options.AttemptTimeout, options.TotalTimeout);

    public TimeSpan? ConnectTimeout { get; } = options.ConnectTimeout;

    public RetryPolicy Retry { get; } = new(options.Retry);

    /// <summary><see langword="null"/>: off.</summary>
    public HedgingPolicy? Hedging { get; } = options.Hedging.IsOn ? new(options.Hedging) : null;

    public CircuitBreakerOptions CircuitBreaker { get; } = options.CircuitBreaker;

    public BulkheadOptions Bulkhead { get; } = options.Bulkhead;

    public int ReadAheadBytes { get; } = options.ReadAheadBytes;

    public double? MinimumBodyRate { get; } = options.MinimumBodyRate;

    public bool IsPeer { get; } = options.IsPeer;

    public TimeSpan CertificateWarning { get; } = options.CertificateWarning;

    public TimeSpan CertificateBreakDuration { get; } = options.CertificateBreakDuration;

    /// <summary>What is asked for, else 10 s, or the total where that is shorter.</summary>
    public static TimeSpan AttemptTimeoutOf(TimeSpan? asked, TimeSpan? total) => asked ?? (total < DefaultAttemptTimeout ? total.Value : DefaultAttemptTimeout);
}

/// <summary>When a failed attempt is made again. Immutable.</summary>
internal sealed class RetryPolicy(RetryOptions options)
{
    public int MaxAttempts { get; } = options.MaxAttempts;

    public TimeSpan Delay { get; } = options.Delay;

    public double Backoff { get; } = options.Backoff;

    public TimeSpan MaxDelay { get; } = options.MaxDelay;

    public double Jitter { get; } = options.Jitter;

    public double Budget { get; } = options.Budget;

    public int BudgetFloor { get; } = options.BudgetFloor;

    public TimeSpan MaxRetryAfter { get; } = options.MaxRetryAfter;

    public bool NonIdempotent { get; } = options.NonIdempotent;

    public int MaxReplayBytes { get; } = options.MaxReplayBytes;
}

/// <summary>When a slow attempt gets another beside it. Immutable.</summary>
internal sealed class HedgingPolicy(HedgingOptions options)
{
    public TimeSpan? Delay { get; } = options.Delay;

    public double? Quantile { get; } = options.Quantile;

    public int MaxAttempts { get; } = options.MaxAttempts;
}

/// <summary>What is in force for all clients.</summary>
/// <param name="Enabled">The suite's and the layer's kill switches.</param>
/// <param name="Default">For clients that configuration does not name.</param>
/// <param name="Named">By name, without regard to case. Instances of names that did not change are those of the settings before.</param>
internal sealed record HttpClientSettings(bool Enabled, HttpClientResilienceOptions Default, IReadOnlyDictionary<string, HttpClientResilienceOptions> Named)
{
    /// <summary>Names that others inherit from: they need no client.</summary>
    public IReadOnlySet<string> Bases { get; init; } = new HashSet<string>();
}
