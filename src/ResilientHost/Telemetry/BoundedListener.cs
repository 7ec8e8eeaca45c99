namespace ResilientHost.Telemetry;

/// <summary>One subscriber of an event with its own queue, so that a slow one delays nobody else.</summary>
/// <remarks>
/// Items are queued in their order by whoever raises the event, under its lock, and handed over by one thread-pool work item at a time.
/// The queue is bounded: a listener that never returns costs what it holds and no more; the newest items are dropped.
/// </remarks>
/// <param name="handler">The subscriber's.</param>
/// <param name="failed">Told what the handler threw, with what it was given; on a thread-pool thread.</param>
internal class BoundedListener<T>(Action<T> handler, Action<T, Exception>? failed) : IThreadPoolWorkItem
{
    /// <summary>Most items that wait for one listener.</summary>
    public const int Capacity = 1024;

    private readonly Queue<T> _pending = new();
    private bool _draining;
    private bool _removed;
    private long _dropped;

    public Action<T> Handler { get; } = handler;

    public long Dropped => Interlocked.Read(ref _dropped);

    public void Enqueue(T item)
    {
        lock (_pending)
        {
            if (_pending.Count >= Capacity)
            {
                _dropped++;
                return;
            }

            _pending.Enqueue(item);
            if (_draining)
            {
                return;
            }

            _draining = true;
        }

        // Unsafe: the listener must not inherit the request's context of whichever call happened to raise the event.
        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    /// <summary>Ends the subscription; what still waits is not delivered.</summary>
    public void Remove()
    {
        lock (_pending)
        {
            _removed = true;
            _pending.Clear();
        }
    }

    void IThreadPoolWorkItem.Execute()
    {
        while (TryTake(out var item))
        {
            try
            {
                Handler(item);
            }
            catch (Exception exception)
            {
                // A listener's failure is its own: the items behind it are still delivered.
                Report(item, exception);
            }
        }
    }

    private bool TryTake(out T item)
    {
        lock (_pending)
        {
            if (!_removed && _pending.TryDequeue(out item!))
            {
                return true;
            }

            _draining = false;
            item = default!;
            return false;
        }
    }

    private void Report(T item, Exception exception)
    {
        try
        {
            failed?.Invoke(item, exception);
        }
        catch (Exception)
        {
            // Whoever hears of failing listeners failed too: nobody is left to tell.
        }
    }
}
