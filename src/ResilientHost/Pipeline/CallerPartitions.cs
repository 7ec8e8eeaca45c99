using Microsoft.AspNetCore.Http;
using ResilientHost.Callers;

namespace ResilientHost.Pipeline;

/// <summary>Finds out who calls, for the layers that tell callers apart, and takes the caller's place in its fair share.</summary>
/// <remarks>Thread-safe. Before the gates, which know no HTTP; for the few endpoints only whose layers ask for it.</remarks>
internal sealed class CallerPartitions(CallerKeys keys)
{
    /// <summary>Fills in who calls.</summary>
    /// <param name="context">The request.</param>
    /// <param name="plan">The layers.</param>
    /// <param name="admission">Receives the caller's circuit, its number and its place in its share.</param>
    /// <param name="refusal">Why not, when the caller is over its share.</param>
    /// <returns>Whether the call may go on to the gates.</returns>
    public bool TryEnter(HttpContext context, EndpointPlan plan, ref Admission admission, out Refusal refusal)
    {
        refusal = default;
        (CallerSelector? By, string Key) known = (null, CallerKeys.Nobody);
        if (plan.CircuitBreaker is { } circuit)
        {
            if (circuit.Partitions is { } partitions && circuit.Policy.Partition is { } byCircuit)
            {
                known = (byCircuit, keys.Of(context, byCircuit));
                admission.Circuit = circuit = partitions.Get(known.Key);
            }

            // Now, and not when there is something to count: a timer that ends the call must not look into a request that is being served.
            if (circuit.CountsCallers)
            {
                admission.Caller = CircuitBreaker.HashOf(KeyOf(context, circuit.Policy.Caller, known));
            }
        }

        return plan.Bulkhead is not { Shares: { } shares, Policy.Partition: { } byBulkhead }
            || shares.TryEnter(KeyOf(context, byBulkhead, known), out admission.Share, out refusal);
    }

    // Most keys are made anew for each request: asked twice, each layer's table would keep a text of its own.
    private string KeyOf(HttpContext context, CallerSelector selector, in (CallerSelector? By, string Key) known) =>
        selector == known.By ? known.Key : keys.Of(context, selector);
}
