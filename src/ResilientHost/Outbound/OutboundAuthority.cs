namespace ResilientHost.Outbound;

/// <summary>One authority (scheme, host, port) as one client calls it: its bulkhead, circuit, budget of retries, latest latencies and certificate. Thread-safe.</summary>
internal sealed class OutboundAuthority
{
    public OutboundAuthority(string authority, CircuitBreaker circuitBreaker, Bulkhead bulkhead, RetryBudget budget)
    {
        Authority = authority;
        CircuitBreaker = circuitBreaker;
        Bulkhead = bulkhead;
        Budget = budget;
    }

    /// <summary>Such as <c>https://prices.example:443</c>; <c>other</c> for authorities that there was no room for.</summary>
    public string Authority { get; }

    public CircuitBreaker CircuitBreaker { get; }

    public Bulkhead Bulkhead { get; }

    /// <summary>Retries and hedged attempts that calls to this authority may make.</summary>
    public RetryBudget Budget { get; }

    /// <summary>Enters the bulkhead, then the circuit; waits only in the bulkhead's queue, and not when the circuit would refuse anyway.</summary>
    /// <exception cref="OperationCanceledException">The caller left while waiting; nothing is held.</exception>
    public async ValueTask<OutboundAdmission> EnterAsync(CancellationToken cancellationToken)
    {
        var admission = await Bulkhead.EnterAsync(cancellationToken);
        if (!admission.IsAdmitted)
        {
            return new(default, admission.Refusal);
        }

        if (CircuitBreaker.TryEnter(out var permit, out var refusal))
        {
            return new(new(admission.Lease, permit), null);
        }

        Bulkhead.Exit(admission.Lease, CallOutcome.Ignored);
        return new(default, refusal);
    }

    /// <summary>Ends what an attempt holds; once.</summary>
    /// <param name="pass">What <see cref="EnterAsync"/> gave.</param>
    /// <param name="outcome">How the attempt ended.</param>
    /// <param name="retryAfter">What the answer said about when to come back; may lengthen a break.</param>
    public void Exit(in OutboundPass pass, CallOutcome outcome, TimeSpan? retryAfter)
    {
        CircuitBreaker.Exit(pass.Permit, outcome, retryAfter);
        Bulkhead.Exit(pass.Lease, outcome);
    }
}

/// <summary>What an attempt holds of its authority's layers. The default value holds nothing.</summary>
internal readonly record struct OutboundPass(BulkheadLease Lease, CircuitPermit Permit);

/// <summary>Whether an attempt may go on.</summary>
internal readonly record struct OutboundAdmission(OutboundPass Pass, Refusal? Refusal)
{
    public bool IsAdmitted => Refusal is null;
}
