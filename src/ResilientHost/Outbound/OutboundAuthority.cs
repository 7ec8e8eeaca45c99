using ResilientHost.CircuitBreaking;

namespace ResilientHost.Outbound;

/// <summary>One authority (scheme, host, port) as one client calls it: its bulkhead, circuit, budget of retries and latest latencies. Thread-safe.</summary>
/// <remarks>Ask <see cref="OutboundClient.Of"/> for each call rather than keep it: one that was evicted still works, but nobody else sees it.</remarks>
internal sealed class OutboundAuthority : IPartitionCompanion
{
    private readonly OutboundAuthorities? _owner;
    private volatile bool _asked = true;
    private volatile bool _evicted;

    /// <param name="owner">Hears of the eviction; <see langword="null"/>: it is never evicted.</param>
    /// <param name="key">The authority; the default value for the one that others share.</param>
    /// <param name="name">What it is called.</param>
    /// <param name="circuitBreaker">Its circuit.</param>
    /// <param name="bulkhead">Its bulkhead.</param>
    /// <param name="budget">Its budget.</param>
    public OutboundAuthority(OutboundAuthorities? owner, in AuthorityKey key, string name, CircuitBreaker circuitBreaker, Bulkhead bulkhead, RetryBudget budget)
    {
        _owner = owner;
        Key = key;
        Authority = name;
        CircuitBreaker = circuitBreaker;
        Bulkhead = bulkhead;
        Budget = budget;
    }

    /// <summary>Such as <c>https://prices.example:443</c>; <c>other</c> for authorities that there was no room for.</summary>
    public string Authority { get; }

    public AuthorityKey Key { get; }

    public CircuitBreaker CircuitBreaker { get; }

    public Bulkhead Bulkhead { get; }

    /// <summary>Retries and hedged attempts that calls to this authority may make.</summary>
    public RetryBudget Budget { get; }

    /// <summary>Latencies of its attempts. To be recorded only where something asks for them (hedging by quantile): the first one makes room for all.</summary>
    public LatencyQuantile Latency { get; } = new();

    /// <summary>What is known of its certificate; <see langword="null"/> until there was a handshake. Made by <see cref="CertificateWatches"/>.</summary>
    public CertificateWatch? Certificates { get; set; }

    /// <summary>Whether its place was given to another one.</summary>
    public bool IsEvicted => _evicted;

    bool IPartitionCompanion.IsIdle => Bulkhead.IsIdle && Budget.Spent == 0;

    /// <summary>Enters the bulkhead, then the circuit; see <see cref="OutboundLayers.EnterAsync"/>.</summary>
    /// <exception cref="OperationCanceledException">The caller left before it was admitted; nothing is held.</exception>
    public ValueTask<OutboundAdmission> EnterAsync(CancellationToken cancellationToken) => OutboundLayers.EnterAsync(Bulkhead, CircuitBreaker, cancellationToken);

    /// <summary>Enters where there is no need to wait; see <see cref="OutboundLayers.TryEnter"/>.</summary>
    public bool TryEnter(out OutboundAdmission admission) => OutboundLayers.TryEnter(Bulkhead, CircuitBreaker, out admission);

    /// <summary>Ends what an attempt holds.</summary>
    /// <param name="pass">What <see cref="EnterAsync"/> gave.</param>
    /// <param name="outcome">How the attempt ended.</param>
    /// <param name="retryAfter">What the answer said about when to come back; may lengthen a break.</param>
    public void Exit(in OutboundPass pass, CallOutcome outcome, TimeSpan? retryAfter = null) => OutboundLayers.Exit(Bulkhead, CircuitBreaker, pass, outcome, retryAfter);

    bool IPartitionCompanion.TakeAsked()
    {
        var asked = _asked;
        _asked = false;
        return asked;
    }

    void IPartitionCompanion.Evicted()
    {
        _evicted = true;
        _owner?.Forget(this);
    }

    /// <summary>Notes that somebody is about to use it. Written only after the eviction's hand went by, so that its line is not passed between cores on every call.</summary>
    public void Touch()
    {
        if (!_asked)
        {
            _asked = true;
        }
    }
}
