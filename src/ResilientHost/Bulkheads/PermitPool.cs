using System.Runtime.CompilerServices;

using ResilientHost.Hosting;

namespace ResilientHost.Bulkheads;

/// <summary>
/// The permits of a bulkhead. A permit is a slot: taking one and giving it back are a compare-and-swap each, on the slot's own cache line,
/// and no counter is shared. Whatever needs more than one slot to be decided is announced in the flags, which are only read while all is well.
/// </summary>
/// <remarks>
/// <para>A look at one slot after the other proves nothing by itself: one may be freed behind the reader and another taken ahead of it.
/// So who looks first sets <see cref="Checking"/>, and publishes the verdict (full, or somebody waits) only in a swap that finds it
/// still set; an exit first frees its slot, then reads the flags, and takes <see cref="Checking"/> and <see cref="Full"/> away (the order of
/// T. J. Dekker's mutual exclusion: each side writes, then reads what the other wrote). A slot that was seen held and is free by the time of
/// the swap was then freed by an exit that has not returned; to everybody else that exit happens after the verdict, which it ends.</para>
/// <para>Flags but those two, the number of slots and the limit change under the bulkhead's lock. A mutable struct on purpose: it lives
/// inside its bulkhead, one object fewer for each idle endpoint.</para>
/// </remarks>
internal partial struct PermitPool(object owner, int limit, bool disabled, bool timed = false)
{
    /// <summary>All permits are held, since no exit has taken the flag away.</summary>
    public const int Full = 1;

    /// <summary>Somebody waits: the way in is closed, and who leaves comes to the queue.</summary>
    public const int Waiting = 1 << 1;

    /// <summary>Somebody looks whether all permits are held.</summary>
    private const int Checking = 1 << 2;

    /// <summary>More slots are in use than the limit says: the way in is closed, and who leaves retires the slot.</summary>
    private const int Excess = 1 << 3;

    /// <summary>The limit is being changed: whoever comes or leaves has to ask under the lock.</summary>
    private const int Changing = 1 << 4;

    /// <summary>Nobody is to be counted.</summary>
    private const int Disabled = 1 << 5;

    /// <summary>Calls are timed, for somebody learns from them: who comes notes the time, and who leaves tells the outcome.</summary>
    private const int Timed = 1 << 6;

    // So few slots are searched faster than a hint is found.
    private const int SlotsWithoutHints = 32;
    private const int HintSpacing = 16;

    private const int Refusing = Full | Waiting | Excess;
    private const int Contended = Waiting | Excess | Changing;
    private const int Closed = Refusing | Changing | Disabled;

    private readonly object _owner = owner;
    private PermitSlot[] _slots = [];
    private int _flags = (disabled ? Disabled : 0) | (timed ? Timed : 0);
    private int _limit = limit;

    // Slots that are not retired. Never more than the limit, but for what was held when it was lowered and what Shadow let in.
    private int _inUse;
    private PermitSlot? _retired;

    // Where each core last found or freed a slot, a cache line apart; made once there are many slots. Read and written without care: only hints.
    private int[]? _hints;

    /// <summary>Permits held: read one after the other, without stopping the calls.</summary>
    public readonly int Out
    {
        get
        {
            var count = 0;
            foreach (var slot in Volatile.Read(in _slots))
            {
                count += PermitSlot.IsHeld(slot.State) ? 1 : 0;
            }

            return count;
        }
    }

    /// <summary>Permits there are. Read without the lock, it is the present or the last one.</summary>
    public readonly int Limit => Volatile.Read(in _limit);

    /// <summary>Slots there are, also retired ones.</summary>
    public readonly int SlotCount => Volatile.Read(in _slots).Length;

    /// <summary>Whether there is no room or others come first, as far as is known without the lock.</summary>
    public readonly bool IsRefusing
    {
        get
        {
            var flags = Volatile.Read(in _flags);
            return (flags & Refusing) != 0 && (flags & Changing) == 0;
        }
    }

    /// <summary>Whether a permit just taken may belong to someone who waits, or be one too many.</summary>
    public readonly bool IsContended => (Volatile.Read(in _flags) & Contended) != 0;

    /// <summary>Takes a free permit unless a flag says that there is more to ask. A "no" is no verdict.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly bool TryTake(out BulkheadLease lease)
    {
        if ((Volatile.Read(in _flags) & (Closed | Timed)) == 0)
        {
            return TryTakeAny(out lease);
        }

        lease = default;
        return false;
    }

    /// <summary>As <see cref="TryTake"/>, where calls are timed; the others get a "no".</summary>
    public readonly bool TryTakeTimed(out BulkheadLease lease)
    {
        if ((Volatile.Read(in _flags) & (Closed | Timed)) == Timed)
        {
            return TryTakeAny(out lease);
        }

        lease = default;
        return false;
    }

    /// <summary>Whether so many permits are held: read one after the other, without stopping the calls, until there are enough.</summary>
    public readonly bool HoldsAtLeast(int count)
    {
        var slots = Volatile.Read(in _slots);
        if (count > slots.Length)
        {
            return false;
        }

        for (var i = 0; count > 0 && i < slots.Length; i++)
        {
            count -= PermitSlot.IsHeld(slots[i].State) ? 1 : 0;
        }

        return count <= 0;
    }

    /// <summary>Whether what <see cref="Freed"/> gave asks for the slot to be settled under the lock.</summary>
    public static bool IsToBeSettled(int watching) => (watching & Contended) != 0;

    /// <summary>To be called after a permit was freed.</summary>
    /// <returns>0 when that is all; else who watches: ask <see cref="IsToBeSettled"/>, and tell whoever times the calls.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Freed(PermitSlot slot)
    {
        if (_hints is { } hints)
        {
            hints[HintOfThisCore] = slot.Position;
        }

        return Volatile.Read(ref _flags) == 0 ? 0 : FreedWatched();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly bool TryTakeAny(out BulkheadLease lease)
    {
        var slots = Volatile.Read(in _slots);
        if (_hints is { } hints)
        {
            return TryTakeNear(slots, ref hints[HintOfThisCore], out lease);
        }

        // Each core begins elsewhere; multiplied by the golden ratio, any few neighbours are far apart whatever the length.
        var hash = unchecked((uint)NearbyProcessor.Place * 0x9E3779B9);
        var start = (int)((ulong)hash * (uint)slots.Length >> 32);
        if ((uint)start < (uint)slots.Length)
        {
            var slot = slots[start];
            return slot.TryTake(slot.State, out lease) || TryTakeFrom(slots, start, out lease) >= 0;
        }

        lease = default;
        return false;
    }

    private static int HintOfThisCore => NearbyProcessor.Place * HintSpacing;

    // With a thousand calls inside, a search from a fixed start would pass the same held slots every time. From where the core last freed one it
    // is over at once; from behind where it last took one (next fit) it passes each slot once a round.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static bool TryTakeNear(PermitSlot[] slots, ref int hint, out BulkheadLease lease)
    {
        var start = (uint)hint < (uint)slots.Length ? hint : 0;
        var position = TryTakeFrom(slots, start, out lease);
        hint = position + 1;
        return position >= 0;
    }

    /// <returns>The position of the slot taken, or -1.</returns>
    private static int TryTakeFrom(PermitSlot[] slots, int start, out BulkheadLease lease)
    {
        for (var i = start; i < slots.Length; i++)
        {
            if (slots[i].TryTake(slots[i].State, out lease))
            {
                return i;
            }
        }

        for (var i = 0; i < start; i++)
        {
            if (slots[i].TryTake(slots[i].State, out lease))
            {
                return i;
            }
        }

        lease = default;
        return -1;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private int FreedWatched()
    {
        var flags = Volatile.Read(ref _flags);
        if ((flags & (Full | Checking)) != 0)
        {
            // What stood there at this very moment counts: Checking may have become Waiting since it was read.
            flags = Interlocked.And(ref _flags, ~(Full | Checking));
        }

        return flags & (Contended | Timed);
    }
}
