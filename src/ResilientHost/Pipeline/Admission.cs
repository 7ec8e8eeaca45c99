using System.Runtime.InteropServices;
using ResilientHost.Bulkheads;

namespace ResilientHost.Pipeline;

/// <summary>What a request holds of the layers it passed, and when it arrived. A default part is one it does not hold.</summary>
[StructLayout(LayoutKind.Auto)]
internal struct Admission
{
    /// <summary>The <see cref="ArrivedAt"/> of a call of which nobody wanted to know how long it takes.</summary>
    public const long Untimed = long.MinValue;

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

    /// <summary>Whether it is known when the call arrived.</summary>
    public readonly bool IsTimed => ArrivedAt != Untimed;

    /// <summary>Takes over what <paramref name="other"/> holds; this one holds nothing.</summary>
    /// <remarks>In parts: the copy of a whole value of this size into an object is a call of the collector's for each reference in it, and most are null.</remarks>
    public void Take(in Admission other)
    {
        ArrivedAt = other.ArrivedAt;
        Permit = other.Permit;
        IsSampled = other.IsSampled;
        Caller = other.Caller;
        if (other.Lease.Slot is { } slot)
        {
            Lease = new(slot, other.Lease.Generation);
        }

        if (other.Circuit is { } circuit)
        {
            Circuit = circuit;
        }

        if (other.Share.Place is not null)
        {
            Share = other.Share;
        }
    }
}
