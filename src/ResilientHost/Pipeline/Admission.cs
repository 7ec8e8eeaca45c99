using System.Runtime.InteropServices;
using ResilientHost.Bulkheads;

namespace ResilientHost.Pipeline;

/// <summary>What a request holds of the layers it passed, and when it arrived. A default part is one it does not hold.</summary>
[StructLayout(LayoutKind.Auto)]
internal struct Admission
{
    /// <summary>The <see cref="ArrivedAt"/> of a call of which nobody, not even its circuit, wanted to know how long it takes.</summary>
    public const long Untimed = long.MinValue;

    public long ArrivedAt;
    public BulkheadLease Lease;
    public CircuitPermit Permit;

    /// <summary>The circuit of the call's own caller; <see langword="null"/> where the plan's is everybody's.</summary>
    public CircuitBreaker? Circuit;

    /// <summary>The caller's place in its fair share of the bulkhead.</summary>
    public FairShareTicket Share;

    /// <summary>It is measured for the history: <see cref="IsTimed"/>.</summary>
    public bool IsSampled;

    /// <summary>Somebody wants to know how long the call takes: <see cref="ArrivedAt"/> is exact.</summary>
    public bool IsTimed;

    /// <summary>Who called, as a number; only where a circuit counts callers.</summary>
    public int Caller;

    /// <summary>Takes over what <paramref name="other"/> holds. This one must hold nothing.</summary>
    /// <remarks>In parts: the copy of a whole value of this size into an object is a call of the collector's for each reference in it, and most are null.</remarks>
    public void Take(in Admission other)
    {
        ArrivedAt = other.ArrivedAt;
        Permit = other.Permit;
        IsSampled = other.IsSampled;
        IsTimed = other.IsTimed;
        Caller = other.Caller;
        if (other.Lease.Slot is not null)
        {
            Lease = other.Lease;
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
