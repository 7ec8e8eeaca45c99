using System.Runtime.InteropServices;

namespace ResilientHost.Bulkheads;

/// <summary>What bulkheads have refused since they were made.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct BulkheadTotals(long Full, long Timeout, long Shadow)
{
    public static BulkheadTotals operator +(BulkheadTotals one, BulkheadTotals other) => new(one.Full + other.Full, one.Timeout + other.Timeout, one.Shadow + other.Shadow);

    /// <summary>The greater of each.</summary>
    public static BulkheadTotals Max(in BulkheadTotals one, in BulkheadTotals other) =>
        new(Math.Max(one.Full, other.Full), Math.Max(one.Timeout, other.Timeout), Math.Max(one.Shadow, other.Shadow));

    public static BulkheadTotals Of(Bulkhead bulkhead) => new(bulkhead.RefusedFull, bulkhead.RefusedTimeout, bulkhead.ShadowRefused);
}
