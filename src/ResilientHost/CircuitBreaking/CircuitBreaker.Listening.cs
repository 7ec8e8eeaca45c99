using ResilientHost.CircuitBreaking;

namespace ResilientHost;

// Who is told of changes.
public sealed partial class CircuitBreaker
{
    /// <summary>Raised once for every change of state, in order.</summary>
    /// <remarks>
    /// A registry's breaker with a circuit for each caller (<see cref="CircuitBreakerOptions.PartitionBy"/>) raises it for those too, under its own name: keys stay inside.
    /// Handlers run on the thread pool, one transition at a time for each handler, never on the caller's thread or under a lock.
    /// A handler that blocks or throws affects neither calls nor other handlers; up to 1,024 transitions wait for it, further ones
    /// are dropped. After removal a handler gets no transition that had not been handed to it yet.
    /// </remarks>
    public event Action<CircuitTransition>? Transitioned
    {
        add
        {
            foreach (var handler in Delegate.EnumerateInvocationList(value))
            {
                Listen(new CircuitListener(handler, _family.Services));
            }
        }

        remove
        {
            foreach (var handler in Delegate.EnumerateInvocationList(value))
            {
                var extras = Extras();
                lock (extras.Gate)
                {
                    if (Array.FindLast(extras.Listeners, known => known.Handler == handler) is { } listener)
                    {
                        listener.Remove();
                        extras.Listeners = [.. extras.Listeners.Where(known => known != listener)];
                    }
                }
            }
        }
    }

    /// <summary>Transitions that listeners were too slow for.</summary>
    internal long DroppedTransitions => _family.Listeners.Concat(OwnListeners).Sum(listener => listener.Dropped);

    private CircuitListener[] OwnListeners => Volatile.Read(ref _extras)?.Listeners ?? [];

    /// <summary>Tells a partition's change to whoever listens to this breaker, but for the registry's own listeners.</summary>
    internal void Relay(CircuitTransition transition)
    {
        foreach (var listener in OwnListeners)
        {
            if (!listener.IsOfHost)
            {
                listener.Enqueue(transition);
            }
        }
    }

    /// <summary>Adds a listener of the registry's own.</summary>
    internal void ListenForHost(Action<CircuitTransition> handler) => Listen(new CircuitListener(handler, _family.Services, isOfHost: true));

    private void Listen(CircuitListener listener)
    {
        var extras = Extras();
        lock (extras.Gate)
        {
            extras.Listeners = [.. extras.Listeners, listener];
        }
    }

    private void TellUnderLock(CircuitTransition transition)
    {
        foreach (var listener in _family.Listeners)
        {
            listener.Enqueue(transition);
        }

        foreach (var listener in OwnListeners)
        {
            listener.Enqueue(transition);
        }
    }
}
