using System.Runtime.InteropServices;

namespace ResilientHost.Workers;

/// <summary>What one pass of a worker's work holds while it runs: its place in the bulkhead and the circuit's permit. The default value holds nothing.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly struct WorkerPass(CircuitBreaker? breaker, CircuitPermit permit, Bulkhead? bulkhead, BulkheadLease lease)
{
    private readonly CircuitPermit _permit = permit;
    private readonly BulkheadLease _lease = lease;

    /// <summary>Gives back what is held. Once, on every path.</summary>
    public void Exit(CallOutcome outcome)
    {
        bulkhead?.Exit(_lease, outcome);
        breaker?.Exit(_permit, outcome);
    }
}
