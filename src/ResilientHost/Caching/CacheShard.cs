namespace ResilientHost.Caching;

/// <summary>What goes on for a part of the keys. All members under <see cref="Gate"/>; never held while anything of the application runs.</summary>
internal sealed class CacheShard
{
    private readonly Dictionary<string, CacheFlight> _flights = new(StringComparer.Ordinal);
    private readonly Dictionary<string, PendingWrite> _writes = new(StringComparer.Ordinal);

    public Lock Gate { get; } = new();

    /// <summary>Whether nothing goes on, for tests.</summary>
    public bool IsIdle => _flights.Count == 0 && _writes.Count == 0;

    /// <summary>The first of a key's flights; others hang on it.</summary>
    public CacheFlight? Find(string key) => _flights.GetValueOrDefault(key);

    public void Link(CacheFlight flight)
    {
        flight.Next = _flights.GetValueOrDefault(flight.Key);
        flight.IsLinked = true;
        _flights[flight.Key] = flight;
    }

    public void Unlink(CacheFlight flight)
    {
        if (!flight.IsLinked)
        {
            return;
        }

        flight.IsLinked = false;
        var first = _flights[flight.Key];
        if (ReferenceEquals(first, flight))
        {
            if (flight.Next is null)
            {
                _flights.Remove(flight.Key);
            }
            else
            {
                _flights[flight.Key] = flight.Next;
            }

            return;
        }

        for (var before = first; before is not null; before = before.Next)
        {
            if (ReferenceEquals(before.Next, flight))
            {
                before.Next = flight.Next;
                return;
            }
        }
    }

    /// <summary>The key was written or removed: what is being fetched for those who came before is neither kept nor given to those who come now.</summary>
    public void Supersede(string key)
    {
        if (_flights.Remove(key, out var first))
        {
            for (var flight = first; flight is not null; flight = flight.Next)
            {
                flight.IsLinked = false;
            }
        }
    }

    /// <summary>All flights there are.</summary>
    public List<CacheFlight> All()
    {
        List<CacheFlight> all = [];
        foreach (var first in _flights.Values)
        {
            for (var flight = first; flight is not null; flight = flight.Next)
            {
                all.Add(flight);
            }
        }

        return all;
    }

    /// <summary>Writes to the distributed cache after all writes of the key before, so that the last one stays.</summary>
    /// <param name="key">The key.</param>
    /// <param name="write">Never throws.</param>
    public Task Enqueue(string key, Func<Task> write)
    {
        var pending = new PendingWrite();
        var before = _writes.GetValueOrDefault(key);
        _writes[key] = pending;
        return pending.Task = WriteAsync(key, before?.Task, pending, write);
    }

    private async Task WriteAsync(string key, Task? before, PendingWrite self, Func<Task> write)
    {
        // The caller holds the lock.
        await Task.Yield();
        if (before is not null)
        {
            await before;
        }

        await write();
        lock (Gate)
        {
            // A later write of the key has taken its place in the table, and has this one behind it.
            if (ReferenceEquals(_writes.GetValueOrDefault(key), self))
            {
                _writes.Remove(key);
            }
        }
    }

    private sealed class PendingWrite
    {
        public Task? Task { get; set; }
    }
}
