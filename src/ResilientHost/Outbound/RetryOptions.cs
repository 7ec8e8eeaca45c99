using ResilientHost.Hosting;

namespace ResilientHost;

/// <summary>When a failed attempt is made again, and how often in all.</summary>
/// <remarks>Not thread-safe; read once per change of configuration.</remarks>
public sealed class RetryOptions : ICopiedOptions
{
    /// <summary>Attempts at one call, the first included.</summary>
    /// <value>From 1 (no retry) to 10; default 3 for HTTP clients, 1 for other calls.</value>
    public int MaxAttempts { get; set; } = 3;

    /// <summary>The wait before the second attempt.</summary>
    /// <value>From 0 to 1 hour; default 200 ms.</value>
    public TimeSpan Delay { get; set; } = TimeSpan.FromMilliseconds(200);

    /// <summary>What the wait is multiplied by at each further attempt.</summary>
    /// <value>From 1 to 100; default 2.</value>
    public double Backoff { get; set; } = 2.0;

    /// <summary>The longest wait, after the jitter.</summary>
    /// <value>At least <see cref="Delay"/> and at most 1 hour; default 10 s.</value>
    public TimeSpan MaxDelay { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How far a wait is off, evenly in both directions, so that callers do not come back in step.</summary>
    /// <value>From 0 to 1; default 0.5.</value>
    public double Jitter { get; set; } = 0.5;

    /// <summary>Retries and hedged attempts as a share of the calls of the last 10 s, to one authority (any other call: of one name).</summary>
    /// <value>From 0 to 10; default 0.1.</value>
    public double Budget { get; set; } = 0.1;

    /// <summary>Retries and hedged attempts that the budget allows in any 10 s, however few calls there are.</summary>
    /// <value>From 0 to 1,000,000; default 5.</value>
    public int BudgetFloor { get; set; } = 5;

    /// <summary>The longest <c>Retry-After</c> of an answer that is waited for; a longer one counts as this.</summary>
    /// <value>From 0 (it is not heeded) to 1 day; default 10 s. HTTP clients only.</value>
    public TimeSpan MaxRetryAfter { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Whether requests are made again that may have been carried out: POST, PATCH, CONNECT and unknown methods without an <c>Idempotency-Key</c>.</summary>
    /// <value>Default <see langword="false"/>. HTTP clients only.</value>
    public bool NonIdempotent { get; set; }

    /// <summary>The largest body of a request that is kept to be sent again. A request with a larger one, or of unknown length beyond it, is sent once.</summary>
    /// <value>From 0 (requests with a body are sent once) to 16 MiB; default 65,536 bytes. HTTP clients only.</value>
    public int MaxReplayBytes { get; set; } = 64 * 1024;

    object ICopiedOptions.Copy() => MemberwiseClone();
}
