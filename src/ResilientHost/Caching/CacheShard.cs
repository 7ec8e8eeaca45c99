namespace ResilientHost.Caching;

/// <summary>What goes on for a part of the keys. All members under <see cref="Gate"/>; never held while anything of the application runs.</summary>
internal sealed class CacheShard
{
    /// <summary>Most flights of a key, type and flags that go on though what they fetch is out of date, before the next one waits for its turn.</summary>
    public const int MaxOutdated = 1;

    private readonly Dictionary<string, CacheFlight> _flights = new(StringComparer.Ordinal);
    private readonly Dictionary<string, CacheFlight> _outdated = new(StringComparer.Ordinal);
    private readonly Dictionary<string, PendingWrite> _writes = new(StringComparer.Ordinal);

    public Lock Gate { get; } = new();

    /// <summary>Whether nothing goes on, for tests.</summary>
    public bool IsIdle => _flights.Count == 0 && _outdated.Count == 0 && _writes.Count == 0;

    /// <summary>The first of a key's flights; others hang on it.</summary>
    public CacheFlight? Find(string key) => _flights.GetValueOrDefault(key);

    /// <summary>Makes it known to newcomers, and gives it its turn, unless too many of its like still fetch what is out of date.</summary>
    public void Link(CacheFlight flight)
    {
        Push(_flights, flight);
        flight.IsLinked = true;

        // Without the cache nothing else bounds how long those before it take, and who asks from within a factory may be what they wait for.
        if (!flight.Keeps || flight.Parent is not null || HasTurn(flight))
        {
            flight.Begin();
        }
    }

    /// <summary>It has ended.</summary>
    public void Unlink(CacheFlight flight)
    {
        flight.IsLinked = false;
        if (Take(_flights, flight) || !Take(_outdated, flight))
        {
            return;
        }

        for (var next = _flights.GetValueOrDefault(flight.Key); next is not null; next = next.Next)
        {
            if (!next.HasBegun && HasTurn(next))
            {
                next.Begin();
            }
        }
    }

    /// <summary>What it fetches is out of date: neither kept nor given to those who come now. One that has not begun is not.</summary>
    public void Supersede(CacheFlight flight)
    {
        if (flight.HasBegun && Take(_flights, flight))
        {
            flight.IsLinked = false;
            Push(_outdated, flight);
        }
    }

    /// <summary>The key was written or removed.</summary>
    public void Supersede(string key)
    {
        var flight = _flights.GetValueOrDefault(key);
        while (flight is not null)
        {
            var next = flight.Next;
            if (flight.HasBegun)
            {
                Supersede(flight);
            }
            else
            {
                flight.ForgetStale();
            }

            flight = next;
        }
    }

    /// <summary>All flights there are.</summary>
    public List<CacheFlight> All()
    {
        List<CacheFlight> all = [];
        foreach (var first in _flights.Values.Concat(_outdated.Values))
        {
            for (var flight = first; flight is not null; flight = flight.Next)
            {
                all.Add(flight);
            }
        }

        return all;
    }

    /// <summary>Writes to the distributed cache after all writes of the key before, so that the last one stays. Of those that wait only the newest is made.</summary>
    /// <param name="key">The key.</param>
    /// <param name="write">What to write.</param>
    /// <param name="perform">Writes it; never throws.</param>
    /// <returns>Ends when that, or what came in its place, is written.</returns>
    public Task Enqueue(string key, CacheWrite write, Func<string, CacheWrite, Task> perform)
    {
        var last = _writes.GetValueOrDefault(key);
        if (last is { HasBegun: false })
        {
            last.Write = write.InPlaceOf(last.Write);
            return last.Task;
        }

        var pending = new PendingWrite(write);
        _writes[key] = pending;
        return pending.Task = WriteAsync(key, last?.Task, pending, perform);
    }

    private static void Push(Dictionary<string, CacheFlight> table, CacheFlight flight)
    {
        flight.Next = table.GetValueOrDefault(flight.Key);
        table[flight.Key] = flight;
    }

    private static bool Take(Dictionary<string, CacheFlight> table, CacheFlight flight)
    {
        CacheFlight? before = null;
        for (var one = table.GetValueOrDefault(flight.Key); one is not null; (before, one) = (one, one.Next))
        {
            if (!ReferenceEquals(one, flight))
            {
                continue;
            }

            if (before is not null)
            {
                before.Next = flight.Next;
            }
            else if (flight.Next is { } first)
            {
                table[flight.Key] = first;
            }
            else
            {
                table.Remove(flight.Key);
            }

            return true;
        }

        return false;
    }

    private bool HasTurn(CacheFlight flight)
    {
        var running = 0;
        for (var other = _outdated.GetValueOrDefault(flight.Key); other is not null; other = other.Next)
        {
            if (flight.IsLike(other))
            {
                running++;
            }
        }

        return running <= MaxOutdated;
    }

    private async Task WriteAsync(string key, Task? before, PendingWrite self, Func<string, CacheWrite, Task> perform)
    {
        // The caller holds the lock.
        await Task.Yield();
        if (before is not null)
        {
            await before;
        }

        lock (Gate)
        {
            self.HasBegun = true;
        }

        await perform(key, self.Write);
        lock (Gate)
        {
            // A later write of the key has taken its place in the table, and has this one behind it.
            if (ReferenceEquals(_writes.GetValueOrDefault(key), self))
            {
                _writes.Remove(key);
            }
        }
    }

    private sealed class PendingWrite(CacheWrite write)
    {
        public CacheWrite Write { get; set; } = write;

        public bool HasBegun { get; set; }

        public Task Task { get; set; } = Task.CompletedTask;
    }
}
