using ResilientHost.Hosting;

namespace ResilientHost;

/// <summary>How the calls of one <see cref="HttpClient"/> are protected. Bound from <c>Resilience:HttpClients:&lt;name&gt;</c>.</summary>
/// <remarks>
/// <para>
/// The layers, outermost first: total timeout → retry or hedging, under a budget → for each attempt: bulkhead → circuit breaker, both one for each authority (scheme, host and port) →
/// attempt timeout.
/// </para>
/// <para>Not thread-safe; read once per change of configuration. A call keeps to its end what it began with.</para>
/// </remarks>
public sealed class HttpClientResilienceOptions : ICopiedOptions
{
    /// <summary>The client's kill switch.</summary>
    /// <value>Default <see langword="true"/>. <see langword="false"/> passes calls through, under the timeout that the client itself was given; reloads, both ways.</value>
    public bool Enabled { get; set; } = true;

    /// <summary>How long a call may take until its response's headers are there, with all its attempts and the waits between them.</summary>
    /// <value>
    /// From 1 ms to 1 day; default 30 s; <see langword="null"/>: as long as it takes. Where the client's own <see cref="HttpClient.Timeout"/> (100 s unless set) or what is left of the inbound request's time
    /// is shorter, that holds.
    /// </value>
    public TimeSpan? TotalTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long one attempt may take until its response's headers are there.</summary>
    /// <value>From 1 ms to <see cref="TotalTimeout"/>; default <see langword="null"/>: 10 s, or the total where that is shorter.</value>
    public TimeSpan? AttemptTimeout { get; set; }

    /// <summary>How long it may take to connect.</summary>
    /// <value>
    /// From 1 ms to 1 day; default 5 s; <see langword="null"/>: no limit of its own. Read when the client's handler is made. Applies to a <see cref="SocketsHttpHandler"/> whose <c>ConnectTimeout</c> nobody set.
    /// </value>
    public TimeSpan? ConnectTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>When a failed attempt is made again.</summary>
    public RetryOptions Retry { get; private set; } = new();

    /// <summary>When a slow attempt gets a second one beside it; replaces retrying for the calls that it applies to.</summary>
    public HedgingOptions Hedging { get; private set; } = new();

    /// <summary>The circuit breaker of each authority.</summary>
    /// <value>The breaker's own defaults. What tells inbound callers apart (<c>PartitionBy</c>, <c>PartitionKey</c>, <c>CallerBy</c>, <c>MinimumDistinctCallers</c>) must not be set. <c>MaxPartitions</c> bounds the authorities.</value>
    public CircuitBreakerOptions CircuitBreaker { get; private set; } = new();

    /// <summary>The bulkhead of each authority: attempts that wait for their response's headers at a time.</summary>
    /// <value>The bulkhead's own defaults. What tells inbound callers apart (<c>PartitionBy</c>, <c>PartitionKey</c>) must not be set.</value>
    public BulkheadOptions Bulkhead { get; private set; } = new();

    /// <summary>Bodies of responses that declare a length up to this one are read as part of the attempt: when they break off or stall, that is a failed attempt.</summary>
    /// <value>From 0 (never) to 16 MiB; default 65,536 bytes.</value>
    public int ReadAheadBytes { get; set; } = 64 * 1024;

    /// <summary>The slowest that a response's body may come, while someone waits for it.</summary>
    /// <value>
    /// From 1 to 1,000,000,000 bytes per second; default 240, as for Kestrel's request bodies; <see langword="null"/>: any. Beside it there is a grace as long as the attempt timeout. Event streams, gRPC and other
    /// bodies that are meant to pause are exempt.
    /// </value>
    public double? MinimumBodyRate { get; set; } = 240;

    /// <summary>Whether the service called is one of ours: it is told how much time is left (<c>Resilience-Deadline</c>) and how much the call matters (<c>Resilience-Criticality</c>).</summary>
    /// <value>Default <see langword="false"/>. The other side believes them only of callers that it trusts.</value>
    public bool IsPeer { get; set; }

    /// <summary>How long before a server's certificate expires that is said in the log, once a day.</summary>
    /// <value>From 0 (never) to 365 days; default 14 days.</value>
    public TimeSpan CertificateWarning { get; set; } = TimeSpan.FromDays(14);

    /// <summary>How long the circuit of an authority breaks whose certificate is not accepted; each further failure doubles it, up to the circuit breaker's <c>MaxBreakDuration</c> or this where it is longer.</summary>
    /// <value>From 1 s to 1 day; default 1 minute.</value>
    public TimeSpan CertificateBreakDuration { get; set; } = TimeSpan.FromMinutes(1);

    object ICopiedOptions.Copy()
    {
        var copy = (HttpClientResilienceOptions)MemberwiseClone();
        copy.Retry = Retry.Copied();
        copy.Hedging = Hedging.Copied();
        copy.CircuitBreaker = CircuitBreaker.Copied();
        copy.Bulkhead = Bulkhead.Copied();
        return copy;
    }
}
