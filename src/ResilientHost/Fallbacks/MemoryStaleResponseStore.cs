using ResilientHost.Hosting;

namespace ResilientHost.Fallbacks;

/// <summary>The store that comes with the suite: responses in memory, within a number of bytes.</summary>
/// <remarks>
/// Thread-safe. The response that was kept or asked for longest ago gives way. Age is measured on the monotonic clock: a wall clock that jumps neither revives nor kills an entry. The
/// lock is held for a lookup or a replacement only, and neither is on the way of a request that goes well.
/// </remarks>
internal sealed class MemoryStaleResponseStore : IStaleResponseStore
{
    /// <summary>What an entry takes besides its texts and its body: objects, list nodes, the table's slot.</summary>
    public const int EntryOverhead = 512;
    private const int TextOverhead = 64;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, LinkedListNode<Entry>> _entries = new(StringComparer.Ordinal);
    private readonly LinkedList<Entry> _byUse = new();
    private readonly MonotonicClock _clock;
    private readonly long _maxBytes;
    private long _bytes;

    /// <param name="clock">The clock.</param>
    /// <param name="maxBytes">What all entries together may take.</param>
    public MemoryStaleResponseStore(MonotonicClock clock, long maxBytes)
    {
        _clock = clock;
        _maxBytes = maxBytes;
    }

    /// <summary>What all entries together take.</summary>
    public long Bytes
    {
        get
        {
            lock (_gate)
            {
                return _bytes;
            }
        }
    }

    /// <summary>Number of entries.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _entries.Count;
            }
        }
    }

    public ValueTask<StaleResponse?> GetAsync(string key, CancellationToken cancellationToken) => new(TryGet(key, out var answer) ? answer.Response : null);

    public ValueTask SetAsync(string key, StaleResponse response, TimeSpan maxAge, CancellationToken cancellationToken)
    {
        Set(key, response, maxAge);
        return ValueTask.CompletedTask;
    }

    /// <summary>The response under a key and its true age.</summary>
    public bool TryGet(string key, out StaleAnswer answer)
    {
        var now = _clock.Timestamp();
        lock (_gate)
        {
            if (_entries.TryGetValue(key, out var node))
            {
                var age = _clock.Elapsed(node.Value.At, now);
                if (age <= node.Value.MaxAge)
                {
                    _byUse.Remove(node);
                    _byUse.AddLast(node);
                    answer = new StaleAnswer(node.Value.Response, age);
                    return true;
                }

                Remove(node);
            }
        }

        answer = default;
        return false;
    }

    /// <summary>Keeps a response, in place of the one under the key and of as many others as it needs room. One that takes all the room there is, is not kept.</summary>
    public void Set(string key, StaleResponse response, TimeSpan maxAge)
    {
        var entry = new Entry(key, response, _clock.Timestamp(), maxAge, SizeOf(key, response));
        lock (_gate)
        {
            if (_entries.TryGetValue(key, out var old))
            {
                Remove(old);
            }

            if (entry.Size > _maxBytes)
            {
                return;
            }

            while (_bytes + entry.Size > _maxBytes)
            {
                Remove(_byUse.First!);
            }

            _entries.Add(key, _byUse.AddLast(entry));
            _bytes += entry.Size;
        }
    }

    /// <summary>What an entry takes, in bytes.</summary>
    internal static long SizeOf(string key, StaleResponse response)
    {
        long size = EntryOverhead + Text(key) + response.Body.Length;
        foreach (var (name, values) in response.Headers.Concat(response.Vary))
        {
            size += Text(name);
            foreach (var value in values)
            {
                size += Text(value);
            }
        }

        return size;
    }

    private static long Text(string? text) => TextOverhead + (sizeof(char) * (long)(text?.Length ?? 0));

    private void Remove(LinkedListNode<Entry> node)
    {
        _entries.Remove(node.Value.Key);
        _byUse.Remove(node);
        _bytes -= node.Value.Size;
    }

    private sealed record Entry(string Key, StaleResponse Response, long At, TimeSpan MaxAge, long Size);
}
