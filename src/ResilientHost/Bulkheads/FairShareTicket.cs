using System.Runtime.InteropServices;

namespace ResilientHost.Bulkheads;

/// <summary>A caller's place, held from <see cref="FairShare.TryEnter"/> until <see cref="FairShare.Exit"/>. The default ticket holds nothing.</summary>
/// <remarks>A copyable value; ending it ends every copy.</remarks>
[StructLayout(LayoutKind.Auto)]
internal readonly struct FairShareTicket(FairSharePlace place, long generation)
{
    public FairSharePlace? Place { get; } = place;

    public long Generation { get; } = generation;
}
