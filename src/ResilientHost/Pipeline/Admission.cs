using System.Runtime.InteropServices;
using ResilientHost.Bulkheads;

namespace ResilientHost.Pipeline;

/// <summary>What a request holds of the layers it passed, and when it arrived. A default part is one it does not hold.</summary>
[StructLayout(LayoutKind.Auto)]
internal struct Admission
{
    public long ArrivedAt;
    public BulkheadLease Lease;
    public CircuitPermit Permit;

    /// <summary>The circuit of the call's own caller; <see langword="null"/> where the plan's is everybody's.</summary>
    public CircuitBreaker? Circuit;

    /// <summary>The caller's place in its fair share of the bulkhead.</summary>
    public FairShareTicket Share;

    /// <summary>It is measured for the history: <see cref="ArrivedAt"/> is exact.</summary>
    public bool IsSampled;

    /// <summary>Who called, as a number; only where a circuit counts callers.</summary>
    public int Caller;
}
