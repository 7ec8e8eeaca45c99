using System.Runtime.InteropServices;

namespace ResilientHost;

/// <summary>The right to be inside a <see cref="Bulkhead"/>, held from admission until <see cref="Bulkhead.Exit"/>.</summary>
/// <remarks>
/// A copyable value: a slot of the bulkhead and the generation in which it was issued. Ending a lease ends its generation, so every other
/// copy is spent as well. The default lease holds nothing.
/// </remarks>
[StructLayout(LayoutKind.Auto)]
public readonly struct BulkheadLease
{
    internal BulkheadLease(int owner, int slot, long generation)
    {
        Owner = owner;
        Slot = slot;
        Generation = generation;
    }

    /// <summary>Which pool issued it. Numbers, not references: writing a lease needs no write barrier, and a kept one keeps nothing alive.</summary>
    internal int Owner { get; }

    /// <summary>Number of the slot, counted from 1.</summary>
    internal int Slot { get; }

    internal long Generation { get; }
}
