using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace ResilientHost.Bulkheads;

/// <summary>
/// One permit of a bulkhead, which is also what its lease names. All there is to it is one number that only grows: in steps of four with each
/// round, the low bits saying whether the slot is free (0), held (1) or retired (2). A lease is a slot and its number while held; whoever
/// moves the number on has ended the lease, so it ends once, however often and from however many threads that is tried.
/// </summary>
internal sealed class PermitSlot(object owner)
{
    private const long Held = 1;
    private const long Retired = 2;
    private const long Round = 4;

    /// <summary>The <see cref="Start"/> of a call of which nobody wants to know how long it takes.</summary>
    public const long Untimed = long.MinValue;

    private Line _line = new() { State = Retired, Start = Untimed };

    /// <summary>The bulkhead that it belongs to.</summary>
    public object Owner { get; } = owner;

    /// <summary>Where the slot stands among the others; right but for the moment in which slots are forgotten.</summary>
    public int Position { get; set; }

    /// <summary>The next retired slot. Needs the bulkhead's lock.</summary>
    public PermitSlot? Next { get; set; }

    public long State => Volatile.Read(ref _line.State);

    /// <summary>Timestamp at which the call that holds the slot began, where calls are timed. Whoever ends the lease reads it first: afterwards it is the next call's.</summary>
    public long Start
    {
        get => _line.Start;
        set => _line.Start = value;
    }

    public static bool IsFree(long state) => (state & (Held | Retired)) == 0;

    public static bool IsHeld(long state) => (state & Held) != 0;

    public static bool IsRetired(long state) => (state & Retired) != 0;

    /// <summary>Takes the slot if it is still free as in <paramref name="state"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryTake(long state, out BulkheadLease lease)
    {
        if (IsFree(state) && Interlocked.CompareExchange(ref _line.State, state + Held, state) == state)
        {
            lease = new BulkheadLease(this, state + Held);
            return true;
        }

        lease = default;
        return false;
    }

    /// <summary>Frees the slot if the lease that was issued with <paramref name="held"/> still holds it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryEnd(long held) => Interlocked.CompareExchange(ref _line.State, held - Held + Round, held) == held;

    /// <summary>Takes the slot out of use if it is free.</summary>
    public bool TryRetire()
    {
        var state = State;
        return IsFree(state) && Interlocked.CompareExchange(ref _line.State, state + Retired, state) == state;
    }

    /// <summary>Puts a retired slot back to use, free. Needs the bulkhead's lock; nobody else moves a retired slot.</summary>
    public void Revive() => Volatile.Write(ref _line.State, _line.State - Retired + Round);

    /// <summary>As <see cref="Revive"/>, but held at once.</summary>
    public BulkheadLease ReviveHeld()
    {
        var state = _line.State - Retired + Round + Held;
        Volatile.Write(ref _line.State, state);
        return new BulkheadLease(this, state);
    }

    // Makes the object 64 bytes, so that two cores which work on neighbouring slots do not write to the same cache line.
    [StructLayout(LayoutKind.Explicit, Size = 24)]
    private struct Line
    {
        [FieldOffset(0)]
        public long State;

        [FieldOffset(8)]
        public long Start;
    }
}
