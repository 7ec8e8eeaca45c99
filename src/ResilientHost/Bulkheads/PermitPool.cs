using System.Runtime.CompilerServices;

namespace ResilientHost.Bulkheads;

/// <summary>
/// The permits of a bulkhead: how many are out, which slots are free, and whether someone waits, in one 64-bit word that moves by
/// compare-and-swap. So a permit is taken with one interlocked operation and returned with two (its generation, then the word).
/// </summary>
/// <remarks>
/// The free slots form a stack (R. K. Treiber, 1986) whose head lives in the word. The word, from its low end: permits out (20 bits),
/// number of the head slot (20), someone waits (1), pushes (23). The count of pushes keeps a thread that was stopped between reading the head's
/// successor and swapping the word from putting an outdated successor back: for that the same word would have to recur after exactly
/// a multiple of 8,388,608 pushes. Slots are made when the stack is empty, doubling, and never given back.
/// A mutable struct on purpose: it lives inside its bulkhead, one object fewer for each idle endpoint.
/// </remarks>
internal struct PermitPool
{
    /// <summary>The most permits that can be out at once.</summary>
    public const int MaxPermits = (1 << SlotBits) - 1;

    private const int SlotBits = 20;
    private const int FirstSlots = 4;
    private const long OutMask = MaxPermits;
    private const long HeadMask = OutMask << SlotBits;
    private const long WaitedFor = 1L << (2 * SlotBits);
    private const long OnePush = WaitedFor << 1;

    // Growing is rare and short; a lock in every pool would cost more memory than it saves time.
    private static readonly Lock Growing = new();

    private static int _poolsMade;

    private readonly int _id = Interlocked.Increment(ref _poolsMade);
    private PermitSlot[] _slots = [];
    private long _word;

    public PermitPool()
    {
    }

    /// <summary>Permits out.</summary>
    public readonly int Out => (int)(Volatile.Read(in _word) & OutMask);

    /// <summary>Takes a free slot when fewer than <paramref name="ceiling"/> permits are out and nobody waits; does not make slots.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryTake(int ceiling, out BulkheadLease lease)
    {
        while (true)
        {
            var word = Volatile.Read(ref _word);
            var head = (int)((word & HeadMask) >>> SlotBits);
            if ((int)(word & OutMask) >= ceiling || head == 0 || (word & WaitedFor) != 0)
            {
                lease = default;
                return false;
            }

            if (TryPop(word, head, out lease))
            {
                return true;
            }
        }
    }

    /// <summary>As <see cref="TryTake"/>, but past those who wait, if told so, and making slots when there is none.</summary>
    public PermitAnswer Take(int ceiling, bool pastWaiters, out BulkheadLease lease)
    {
        while (true)
        {
            var word = Volatile.Read(ref _word);
            var head = (int)((word & HeadMask) >>> SlotBits);
            if ((int)(word & OutMask) >= ceiling || (!pastWaiters && (word & WaitedFor) != 0))
            {
                lease = default;
                return PermitAnswer.Full;
            }

            if (head == 0)
            {
                if (!TryGrow())
                {
                    lease = default;
                    return PermitAnswer.Untracked;
                }
            }
            else if (TryPop(word, head, out lease))
            {
                return PermitAnswer.Taken;
            }
        }
    }

    /// <summary>
    /// Ends a lease and returns its slot. Nothing happens to a lease that was issued elsewhere or is ended already. When someone waits,
    /// the lease is ended but its slot is the caller's to hand on or return.
    /// </summary>
    /// <returns>The slot to hand on; <see langword="null"/> when there is nothing more to do.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public PermitSlot? End(in BulkheadLease lease)
    {
        // Read before the generation moves, not after: a load behind an interlocked operation waits for it.
        var word = Volatile.Read(ref _word);
        var slots = _slots;
        var index = lease.Slot - 1;
        if (lease.Owner != _id || (uint)index >= (uint)slots.Length)
        {
            return null;
        }

        var slot = slots[index];
        if (!slot.TryEnd(lease.Generation))
        {
            return null;
        }

        while ((word & WaitedFor) == 0)
        {
            if (TryPush(word, slot))
            {
                return null;
            }

            word = Volatile.Read(ref _word);
        }

        return slot;
    }

    /// <summary>Returns the slot of an ended lease.</summary>
    public void Return(PermitSlot slot)
    {
        while (!TryPush(Volatile.Read(ref _word), slot))
        {
        }
    }

    /// <summary>Announces a waiter, so that returns come to the queue, unless there is room after all.</summary>
    public bool TryAnnounceWaiter(int ceiling)
    {
        while (true)
        {
            var word = Volatile.Read(ref _word);
            if ((int)(word & OutMask) < ceiling)
            {
                return false;
            }

            if (Interlocked.CompareExchange(ref _word, word | WaitedFor, word) == word)
            {
                return true;
            }
        }
    }

    /// <summary>Takes the announcement back: the queue is empty.</summary>
    public void NobodyWaits() => Interlocked.And(ref _word, ~WaitedFor);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool TryPop(long word, int head, out BulkheadLease lease)
    {
        var slot = _slots[head - 1];

        // Read before the swap, which proves that the slot stayed free meanwhile, and a free slot's generation stands.
        var generation = slot.Generation;
        var next = ((word & ~HeadMask) | ((long)slot.Next << SlotBits)) + 1;
        if (Interlocked.CompareExchange(ref _word, next, word) == word)
        {
            lease = new BulkheadLease(_id, head, generation);
            return true;
        }

        lease = default;
        return false;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool TryPush(long word, PermitSlot slot)
    {
        slot.Next = (int)((word & HeadMask) >>> SlotBits);
        var next = unchecked(((word & ~HeadMask) | ((long)slot.Number << SlotBits)) - 1 + OnePush);
        return Interlocked.CompareExchange(ref _word, next, word) == word;
    }

    private bool TryGrow()
    {
        lock (Growing)
        {
            var old = _slots;
            if ((Volatile.Read(ref _word) & HeadMask) != 0)
            {
                return true;
            }

            var size = Math.Min(Math.Max(FirstSlots, old.Length * 2), MaxPermits);
            if (size == old.Length)
            {
                return false;
            }

            var slots = new PermitSlot[size];
            old.CopyTo(slots, 0);
            for (var i = old.Length; i < size; i++)
            {
                slots[i] = new PermitSlot(i + 1) { Next = i + 2 };
            }

            // Published before the word can name one of the new slots: who sees the head also sees the table that holds it.
            Volatile.Write(ref _slots, slots);
            Link(old.Length + 1, slots[^1]);
            return true;
        }
    }

    private void Link(int first, PermitSlot last)
    {
        while (true)
        {
            var word = Volatile.Read(ref _word);
            last.Next = (int)((word & HeadMask) >>> SlotBits);
            var next = unchecked(((word & ~HeadMask) | ((long)first << SlotBits)) + OnePush);
            if (Interlocked.CompareExchange(ref _word, next, word) == word)
            {
                return;
            }
        }
    }
}

/// <summary>What became of an attempt to take a permit.</summary>
internal enum PermitAnswer
{
    /// <summary>The lease is the caller's.</summary>
    Taken,

    /// <summary>There is no room, or others came first.</summary>
    Full,

    /// <summary>There is room, but more permits are out than can be tracked: the call may go on with a default lease.</summary>
    Untracked,
}
