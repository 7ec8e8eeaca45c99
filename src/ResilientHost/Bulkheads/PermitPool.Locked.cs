using ResilientHost.Hosting;

namespace ResilientHost.Bulkheads;

/// <content>What needs the bulkhead's lock, all of it: the verdict that it is full, the number of slots, the limit.</content>
internal partial struct PermitPool
{
    private const int FirstSlots = 4;

    /// <summary>Whether more slots are in use than the limit says.</summary>
    public readonly bool IsExceeded => _inUse > _limit;

    /// <summary>Takes a permit if fewer than the limit are held; else publishes <paramref name="verdict"/>, in the moment in which it is true.</summary>
    public bool TryTakeWithinLimit(int verdict, out BulkheadLease lease)
    {
        if (IsExceeded)
        {
            lease = default;
            return false;
        }

        int flags;
        do
        {
            flags = Interlocked.Or(ref _flags, Checking) | Checking;
            if (TryTakeFrom(_slots, start: 0, out lease) >= 0)
            {
                return true;
            }

            if (_inUse < _limit)
            {
                lease = TakeAnother();
                while (_inUse < _limit && _retired is { } slot)
                {
                    Unlink(slot).Revive();
                }

                return true;
            }
        }
        while (Interlocked.CompareExchange(ref _flags, (flags & ~Checking) | verdict, flags) != flags);

        return false;
    }

    /// <summary>Takes a permit whatever the limit says.</summary>
    public BulkheadLease TakeAnother()
    {
        if (_retired is null)
        {
            Grow();
        }

        var lease = Unlink(_retired!).ReviveHeld();
        if (IsExceeded)
        {
            Interlocked.Or(ref _flags, Excess);
        }

        return lease;
    }

    /// <summary>Retires a slot that was freed if there are too many; else takes it for someone who waits, if told so and nobody else has.</summary>
    public bool TryTakeFreed(PermitSlot slot, bool forWaiter, out BulkheadLease lease)
    {
        lease = default;
        if (IsExceeded)
        {
            Retire(slot);
            Compact();
            return false;
        }

        return forWaiter && slot.TryTake(slot.State, out lease);
    }

    /// <summary>Changes the limit. Until <see cref="Publish"/>, whoever comes or leaves has to ask under the lock.</summary>
    public void ChangeLimit(int limit)
    {
        Interlocked.Or(ref _flags, Changing);
        Interlocked.And(ref _flags, ~(Full | Checking));
        Volatile.Write(ref _limit, limit);
        foreach (var slot in _slots)
        {
            if (_inUse <= _limit)
            {
                break;
            }

            Retire(slot);
        }

        Compact();
    }

    /// <summary>Publishes what holds from now on. To announce a waiter takes <see cref="TryTakeWithinLimit"/>, unless there is one or there are too many slots.</summary>
    public void Publish(bool waiting, bool disabled, bool timed = false)
    {
        var on = (waiting ? Waiting : 0) | (IsExceeded ? Excess : 0) | (disabled ? Disabled : 0) | (timed ? Timed : 0);
        Interlocked.Or(ref _flags, on);
        Interlocked.And(ref _flags, on | Full | Checking);
    }

    /// <summary>Forgets when the calls began: to be done before calls are timed again, for those between did not say.</summary>
    public readonly void ForgetStarts()
    {
        foreach (var slot in _slots)
        {
            slot.Start = PermitSlot.Untimed;
        }
    }

    private void Retire(PermitSlot slot)
    {
        if (slot.TryRetire())
        {
            slot.Next = _retired;
            _retired = slot;
            _inUse--;
        }
    }

    private PermitSlot Unlink(PermitSlot slot)
    {
        _retired = slot.Next;
        slot.Next = null;
        _inUse++;
        return slot;
    }

    /// <summary>Makes slots, retired ones, when there are none.</summary>
    private void Grow()
    {
        var old = _slots;
        var room = _limit - _inUse;
        var more = Math.Max(FirstSlots, old.Length);
        var slots = new PermitSlot[old.Length + (room > 0 ? Math.Min(more, room) : more)];
        old.CopyTo(slots, 0);

        // Downwards, so that the list of retired ones hands them out upwards. Linked in last: running out of memory changes nothing.
        PermitSlot? first = null;
        for (var i = slots.Length - 1; i >= old.Length; i--)
        {
            first = slots[i] = new PermitSlot(_owner) { Next = first, Position = i };
        }

        var hints = slots.Length > SlotsWithoutHints ? _hints ?? new int[NearbyProcessor.Places * HintSpacing] : null;
        _retired = first;
        Volatile.Write(ref _slots, slots);
        Volatile.Write(ref _hints, hints);
    }

    /// <summary>Forgets the retired slots once nothing is left of a higher limit, when they are most of what there is to search.</summary>
    private void Compact()
    {
        if (_inUse == _limit && _slots.Length > (2 * (long)_inUse) + (2 * FirstSlots))
        {
            var kept = Array.FindAll(_slots, static slot => !PermitSlot.IsRetired(slot.State));
            for (var i = 0; i < kept.Length; i++)
            {
                kept[i].Position = i;
            }

            Volatile.Write(ref _slots, kept);
            _retired = null;
        }
    }
}
