namespace ResilientHost.Bulkheads;

/// <summary>The waiters of one bulkhead in order of arrival, and the lock under which all that concerns waiting is decided.</summary>
/// <remarks>Made when the first call enters. Every member but <see cref="Gate"/>, <see cref="Count"/> and the counters needs the lock.</remarks>
internal sealed class BulkheadQueue
{
    private BulkheadWaiter? _oldest;
    private BulkheadWaiter? _newest;
    private int _count;
    private long _timedOut;
    private long _shadowRefused;

    public Lock Gate { get; } = new();

    public int Count => Volatile.Read(ref _count);

    /// <summary>Calls refused after waiting for as long as allowed. Kept here, and not with the bulkhead, as those that never had to wait are many.</summary>
    public ref long TimedOut => ref _timedOut;

    /// <summary>As <see cref="TimedOut"/>: calls that Shadow admitted although there was no room.</summary>
    public ref long ShadowRefused => ref _shadowRefused;

    public void Add(BulkheadWaiter waiter)
    {
        waiter.Older = _newest;
        if (_newest is null)
        {
            _oldest = waiter;
        }
        else
        {
            _newest.Newer = waiter;
        }

        _newest = waiter;
        _count++;
    }

    /// <summary>Ends the wait of whoever is served next.</summary>
    public BulkheadWaiter Serve(QueueOrder order, in BulkheadLease lease)
    {
        var waiter = order == QueueOrder.OldestFirst ? _oldest! : _newest!;
        waiter.Lease = lease;
        End(waiter, WaitEnd.Admitted);
        return waiter;
    }

    /// <summary>Ends the wait of whoever has the least right to it: the one that is served last.</summary>
    public BulkheadWaiter Displace(QueueOrder order)
    {
        var waiter = order == QueueOrder.OldestFirst ? _newest! : _oldest!;
        End(waiter, WaitEnd.Displaced);
        return waiter;
    }

    /// <summary>Ends one wait, whoever's, unless something else has ended it.</summary>
    public bool TryEnd(BulkheadWaiter waiter, WaitEnd end)
    {
        if (waiter.End != WaitEnd.None)
        {
            return false;
        }

        End(waiter, end);
        return true;
    }

    private void End(BulkheadWaiter waiter, WaitEnd end)
    {
        if (waiter.Older is null)
        {
            _oldest = waiter.Newer;
        }
        else
        {
            waiter.Older.Newer = waiter.Newer;
        }

        if (waiter.Newer is null)
        {
            _newest = waiter.Older;
        }
        else
        {
            waiter.Newer.Older = waiter.Older;
        }

        waiter.Older = null;
        waiter.Newer = null;
        waiter.End = end;
        _count--;
    }
}

/// <summary>Waiters whose wait has ended, in that order, to be completed once the queue's lock is left.</summary>
internal struct EndedWaiters
{
    private BulkheadWaiter? _last;

    public BulkheadWaiter? First { get; private set; }

    public void Add(BulkheadWaiter waiter)
    {
        if (_last is null)
        {
            First = waiter;
        }
        else
        {
            _last.Newer = waiter;
        }

        _last = waiter;
    }
}
