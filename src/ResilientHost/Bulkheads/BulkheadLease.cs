using System.Runtime.InteropServices;
using ResilientHost.Bulkheads;

namespace ResilientHost;

/// <summary>The right to be inside a <see cref="Bulkhead"/>, held from admission until <see cref="Bulkhead.Exit"/>.</summary>
/// <remarks>
/// A copyable value: a slot of the bulkhead and the generation in which it was issued. Ending a lease ends its generation, so every other
/// copy is spent as well. The default lease holds nothing.
/// </remarks>
[StructLayout(LayoutKind.Auto)]
public readonly struct BulkheadLease
{
    internal BulkheadLease(PermitSlot slot, long generation)
    {
        Slot = slot;
        Generation = generation;
    }

    /// <summary>The permit, which knows its bulkhead: a lease shown to another one is known as foreign without a look-up.</summary>
    internal PermitSlot? Slot { get; }

    internal long Generation { get; }
}
