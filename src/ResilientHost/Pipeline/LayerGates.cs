using System.Diagnostics;
using ResilientHost.Bulkheads;
using ResilientHost.Hosting;

namespace ResilientHost.Pipeline;

/// <summary>
/// The synchronous gates of the call path, in their fixed order: degradation, bulkhead, circuit breaker, timeout. (Recovery and
/// fallback, outside them, have no gate.) Asked on the way in, told the outcome on the way out.
/// </summary>
/// <remarks>Thread-safe. Knows no HTTP: what a refusal looks like is known to <c>Refusals/</c> alone.</remarks>
internal sealed class LayerGates(MonotonicClock clock)
{
    public enum Entry
    {
        Admitted,
        Refused,

        /// <summary>No room now, but the bulkhead has a queue: ask <see cref="EnterQueuedAsync"/>.</summary>
        Queues,
    }

    /// <summary>Notes when the call arrived.</summary>
    /// <param name="plan">The layers.</param>
    /// <param name="timed">Someone wants to know exactly how long the call took; else a cheaper clock will do, or none.</param>
    /// <returns>What the admission begins with. Not the admission: it is large, and read back while its parts are still being written.</returns>
    public long Arrive(EndpointPlan plan, bool timed)
    {
        if (timed)
        {
            return clock.Timestamp();
        }

        return plan.CircuitBreaker?.Policy is { MeasuresCalls: true } policy
            ? policy.NeedsExactClock ? clock.Timestamp() : clock.CoarseTimestamp()
            : Admission.Untimed;
    }

    /// <summary>Enters every layer of the plan, or none.</summary>
    /// <param name="plan">The layers.</param>
    /// <param name="admission">When the call arrived, and who calls where that was asked for; then what the call holds.</param>
    /// <param name="refusal">Why not, when refused.</param>
    public static Entry TryEnter(EndpointPlan plan, ref Admission admission, out Refusal refusal)
    {
        refusal = default;
        if (plan.Bulkhead is { } bulkhead)
        {
            if (bulkhead.CanQueue)
            {
                if (!bulkhead.TryEnterUncounted(out admission.Lease))
                {
                    return Entry.Queues;
                }
            }
            else if (!bulkhead.TryEnter(out admission.Lease, out refusal))
            {
                ExitRefusedShare(ref admission);
                return Entry.Refused;
            }
        }

        return EnterCircuit(plan, admission.ArrivedAt, ref admission, out refusal) ? Entry.Admitted : Entry.Refused;
    }

    /// <summary>Enters every layer of the plan after waiting for the bulkhead, or none.</summary>
    /// <param name="plan">The layers.</param>
    /// <param name="admission">What <see cref="TryEnter"/> gave: when the call arrived.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="OperationCanceledException">The caller left while waiting; nothing is held.</exception>
    public async ValueTask<(Admission Admission, Refusal? Refusal)> EnterQueuedAsync(EndpointPlan plan, Admission admission, CancellationToken cancellationToken)
    {
        var bulkhead = plan.Bulkhead!;

        // Waiting for a permit only to be told that the circuit is open helps nobody and keeps others out of the queue.
        if (CircuitOf(plan, admission) is { } circuit && circuit.IsRefusing(clock.CoarseTimestamp(), out var refusal))
        {
            circuit.CountRefusal();
            ExitShare(ref admission);
            return (admission, refusal);
        }

        BulkheadAdmission entered;
        try
        {
            entered = await bulkhead.EnterAsync(cancellationToken);
        }
        catch
        {
            ExitShare(ref admission);
            throw;
        }

        if (!entered.IsAdmitted)
        {
            ExitRefusedShare(ref admission);
            return (admission, entered.Refusal);
        }

        Activity.Current?.AddEvent(new ActivityEvent(ResilienceDiagnostics.SpanEvents.BulkheadQueued));

        // For the circuit the call begins now: its time in the queue is the bulkhead's, not the dependency's.
        admission.Lease = entered.Lease;
        return EnterCircuit(plan, clock.Timestamp(), ref admission, out refusal) ? (admission, null) : (admission, refusal);
    }

    /// <summary>Leaves every layer, innermost first. Holding nothing, or no longer, is fine.</summary>
    public void Exit(EndpointPlan plan, ref Admission admission, CallOutcome outcome)
    {
        ExitCircuit(plan, ref admission, outcome);
        ExitBulkhead(plan, ref admission, outcome);
    }

    /// <summary>Leaves the bulkhead alone, when the circuit has been left.</summary>
    public static void ExitBulkhead(EndpointPlan plan, ref Admission admission, CallOutcome outcome)
    {
        if (plan.Bulkhead is { } bulkhead)
        {
            bulkhead.Exit(admission.Lease, outcome);
            admission.Lease = default;
            ExitShare(ref admission);
        }
    }

    /// <summary>Leaves the circuit alone: its verdict can be known before the work has ended and gives its place back.</summary>
    public void ExitCircuit(EndpointPlan plan, ref Admission admission, CallOutcome outcome)
    {
        if (CircuitOf(plan, admission) is { } circuit)
        {
            var now = circuit.Policy.NeedsExactClock ? clock.Timestamp() : clock.CoarseTimestamp();
            if (circuit.Exit(admission.Permit, outcome, now, admission.Caller) is { To: CircuitState.Open } opened)
            {
                Activity.Current?.AddEvent(new ActivityEvent(ResilienceDiagnostics.SpanEvents.CircuitBreakerOpened, tags: new()
                {
                    { ResilienceDiagnostics.Tags.CircuitBreakerName, opened.Name },
                }));
            }

            admission.Permit = default;
        }
    }

    /// <summary>How long the call has been inside. Of one that was timed: <see cref="Admission.IsTimed"/>.</summary>
    public TimeSpan Elapsed(in Admission admission) => clock.Elapsed(admission.ArrivedAt, clock.Timestamp());

    private static bool EnterCircuit(EndpointPlan plan, long timestamp, ref Admission admission, out Refusal refusal)
    {
        refusal = default;
        if (CircuitOf(plan, admission) is not { } circuit
            || (timestamp == Admission.Untimed ? circuit.TryEnter(out admission.Permit, out refusal) : circuit.TryEnter(timestamp, out admission.Permit, out refusal)))
        {
            return true;
        }

        ExitBulkhead(plan, ref admission, CallOutcome.Ignored);
        return false;
    }

    private static CircuitBreaker? CircuitOf(EndpointPlan plan, in Admission admission) => admission.Circuit ?? plan.CircuitBreaker;

    private static void ExitShare(ref Admission admission)
    {
        if (admission.Share.Place is not null)
        {
            FairShare.Exit(admission.Share);
            admission.Share = default;
        }
    }

    // The caller wanted in and there was no room: its share of what comes free is kept for it.
    private static void ExitRefusedShare(ref Admission admission)
    {
        if (admission.Share.Place is not null)
        {
            FairShare.ExitRefused(admission.Share);
            admission.Share = default;
        }
    }
}
