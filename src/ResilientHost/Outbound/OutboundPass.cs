using System.Runtime.InteropServices;

namespace ResilientHost.Outbound;

/// <summary>What an attempt holds of its authority's layers. The default value holds nothing.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct OutboundPass(BulkheadLease Lease, CircuitPermit Permit);

/// <summary>Whether an attempt may go on.</summary>
/// <param name="Pass">What it holds, to be ended once; the default value when refused.</param>
/// <param name="Refusal">Why not; <see langword="null"/> when admitted.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct OutboundAdmission(OutboundPass Pass, Refusal? Refusal)
{
    public bool IsAdmitted => Refusal is null;
}
