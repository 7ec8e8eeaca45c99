using ResilientHost.Telemetry;

namespace ResilientHost.History;

/// <summary>The subscribers of an event that is raised under a lock or on a timer: each has its own queue. Thread-safe.</summary>
internal sealed class BoundedListeners<T>
{
    private readonly Lock _gate = new();
    private BoundedListener<T>[] _listeners = [];

    public void Add(Action<T>? handlers)
    {
        foreach (var handler in Delegate.EnumerateInvocationList(handlers))
        {
            lock (_gate)
            {
                _listeners = [.. _listeners, new BoundedListener<T>(handler, failed: null)];
            }
        }
    }

    public void Remove(Action<T>? handlers)
    {
        foreach (var handler in Delegate.EnumerateInvocationList(handlers))
        {
            lock (_gate)
            {
                if (Array.FindLast(_listeners, known => known.Handler == handler) is { } listener)
                {
                    listener.Remove();
                    _listeners = [.. _listeners.Where(known => known != listener)];
                }
            }
        }
    }

    public void Raise(T item)
    {
        foreach (var listener in Volatile.Read(ref _listeners))
        {
            listener.Enqueue(item);
        }
    }
}
