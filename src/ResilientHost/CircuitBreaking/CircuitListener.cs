namespace ResilientHost.CircuitBreaking;

/// <summary>One subscriber of <see cref="CircuitBreaker.Transitioned"/> with its own queue, so that a slow one delays nobody else.</summary>
/// <remarks>
/// Transitions are queued in their order under the breaker's lock and handed over by one thread-pool work item at a time.
/// The queue is bounded: a listener that never returns costs what it holds and no more; the newest transitions are dropped.
/// </remarks>
internal sealed class CircuitListener(Action<CircuitTransition> handler, CircuitServices services, bool isOfHost = false) : IThreadPoolWorkItem
{
    /// <summary>Most transitions that wait for one listener.</summary>
    public const int Capacity = 1024;

    private readonly Queue<CircuitTransition> _pending = new();
    private bool _draining;
    private bool _removed;
    private long _dropped;

    public Action<CircuitTransition> Handler { get; } = handler;

    /// <summary>Whether it is the registry's own, that hears of partitions by another way.</summary>
    public bool IsOfHost { get; } = isOfHost;

    public long Dropped => Interlocked.Read(ref _dropped);

    public void Enqueue(CircuitTransition transition)
    {
        lock (_pending)
        {
            if (_pending.Count >= Capacity)
            {
                _dropped++;
                return;
            }

            _pending.Enqueue(transition);
            if (_draining)
            {
                return;
            }

            _draining = true;
        }

        // Unsafe: the listener must not inherit the request's context of whichever call happened to trip the circuit.
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
        while (TryTake(out var transition))
        {
            try
            {
                Handler(transition);
            }
            catch (Exception exception)
            {
                // A listener's failure is its own: the transitions behind it are still delivered.
                Report(transition.Name, exception);
            }
        }
    }

    private bool TryTake(out CircuitTransition transition)
    {
        lock (_pending)
        {
            if (!_removed && _pending.TryDequeue(out transition!))
            {
                return true;
            }

            _draining = false;
            transition = null!;
            return false;
        }
    }

    private void Report(string name, Exception exception)
    {
        try
        {
            services.ListenerFailed?.Invoke(name, exception);
        }
        catch (Exception)
        {
            // Whoever hears of failing listeners failed too: nobody is left to tell.
        }
    }
}
