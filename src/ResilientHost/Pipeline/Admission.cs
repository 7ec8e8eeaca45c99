using System.Runtime.InteropServices;

namespace ResilientHost.Pipeline;

/// <summary>What a request holds of the layers it passed, and when it arrived. A default part is one it does not hold.</summary>
[StructLayout(LayoutKind.Auto)]
internal struct Admission
{
    public long ArrivedAt;
    public BulkheadLease Lease;
    public CircuitPermit Permit;
}
