namespace ResilientHost.Outbound;

/// <summary>The bulkhead and the circuit around each attempt at something outside. Thread-safe; with room and a closed circuit nothing is locked or allocated.</summary>
internal static class OutboundLayers
{
    /// <summary>Enters the bulkhead, then the circuit; waits only in the bulkhead's queue, and not when the circuit would refuse anyway.</summary>
    /// <param name="bulkhead">The bulkhead.</param>
    /// <param name="circuitBreaker">The circuit.</param>
    /// <param name="cancellationToken">Ends the wait; one that is cancelled already, also the attempt itself.</param>
    /// <returns>The pass, or the refusal of the layer that refused. To be awaited once.</returns>
    /// <exception cref="OperationCanceledException">The caller left before it was admitted; nothing is held.</exception>
    public static ValueTask<OutboundAdmission> EnterAsync(Bulkhead bulkhead, CircuitBreaker circuitBreaker, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<OutboundAdmission>(cancellationToken);
        }

        if (TryEnter(bulkhead, circuitBreaker, out var admission))
        {
            return new(admission);
        }

        var waiting = bulkhead.EnterAsync(cancellationToken);
        return waiting.IsCompletedSuccessfully ? new(Continue(bulkhead, waiting.Result, circuitBreaker)) : WaitAsync(bulkhead, waiting, circuitBreaker);
    }

    /// <summary>Enters as <see cref="EnterAsync"/> does where there is no need to wait.</summary>
    /// <returns>Whether it is decided: <see langword="false"/> where the bulkhead has no room, and nothing is held or counted.</returns>
    public static bool TryEnter(Bulkhead bulkhead, CircuitBreaker circuitBreaker, out OutboundAdmission admission)
    {
        // A look first: whoever is to be refused must not take a place in the queue from somebody who is not.
        if (circuitBreaker.IsRefusing(out var refusal))
        {
            circuitBreaker.CountRefusal();
            admission = new(default, refusal);
            return true;
        }

        if (bulkhead.TryEnterUncounted(out var lease))
        {
            admission = EnterCircuit(bulkhead, lease, circuitBreaker);
            return true;
        }

        admission = default;
        return false;
    }

    /// <summary>Ends what an attempt holds; once, for the circuit counts each time. Of the default pass it does nothing.</summary>
    public static void Exit(Bulkhead bulkhead, CircuitBreaker circuitBreaker, in OutboundPass pass, CallOutcome outcome, TimeSpan? retryAfter)
    {
        try
        {
            if (retryAfter is null)
            {
                circuitBreaker.Exit(pass.Permit, outcome);
            }
            else
            {
                circuitBreaker.Exit(pass.Permit, outcome, retryAfter);
            }
        }
        finally
        {
            bulkhead.Exit(pass.Lease, outcome);
        }
    }

    private static async ValueTask<OutboundAdmission> WaitAsync(Bulkhead bulkhead, ValueTask<BulkheadAdmission> waiting, CircuitBreaker circuitBreaker) =>
        Continue(bulkhead, await waiting, circuitBreaker);

    private static OutboundAdmission Continue(Bulkhead bulkhead, in BulkheadAdmission admission, CircuitBreaker circuitBreaker) =>
        admission.IsAdmitted ? EnterCircuit(bulkhead, admission.Lease, circuitBreaker) : new(default, admission.Refusal);

    // Last, so that no permit of a probe waits in a queue; and anew after a wait, in which the circuit may have opened.
    private static OutboundAdmission EnterCircuit(Bulkhead bulkhead, in BulkheadLease lease, CircuitBreaker circuitBreaker)
    {
        if (circuitBreaker.TryEnter(out var permit, out var refusal))
        {
            return new(new(lease, permit), null);
        }

        bulkhead.Exit(lease, CallOutcome.Ignored);
        return new(default, refusal);
    }
}
