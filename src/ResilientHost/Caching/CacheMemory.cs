using Microsoft.Extensions.Caching.Memory;

namespace ResilientHost.Caching;

/// <summary>What a cache keeps in this process: a bounded number of entries, of which those used least recently go.</summary>
/// <remarks>
/// Thread-safe; reading takes no lock. The memory cache's own size limit turns down the newest entry when it is full and makes room later; here room is made first, so that what was just
/// written is there.
/// </remarks>
internal sealed class CacheMemory(Func<int> maxEntries) : IDisposable
{
    private const double Share = 0.05;
    private const int MaxEntriesAtOnce = 1000;

    private readonly MemoryCache _cache = new(new MemoryCacheOptions());
    private readonly Lock _gate = new();
    private int _room;
    private int _roomOf;

    public int Count => _cache.Count;

    public bool TryGet(string key, out object? entry) => _cache.TryGetValue(key, out entry);

    public bool TryGet(ReadOnlySpan<char> key, out object? entry) => _cache.TryGetValue(key, out entry);

    /// <param name="key">The key.</param>
    /// <param name="entry">Its entry.</param>
    /// <param name="lifetime">After which it is of no use to anybody.</param>
    public void Set(string key, CacheEntry entry, TimeSpan lifetime)
    {
        var max = maxEntries();
        var room = Interlocked.Decrement(ref _room);
        if (room < 0 || max != Volatile.Read(ref _roomOf))
        {
            MakeRoom(max);
        }
        else if (max >= MaxEntriesAtOnce && room == max / 100)
        {
            // Sorting that many takes milliseconds that no caller should wait for.
            ThreadPool.UnsafeQueueUserWorkItem(static state => state.Memory.Trim(state.Max, state.Max / 50), (Memory: this, Max: max), preferLocal: false);
        }

        using var made = _cache.CreateEntry(key);
        made.Value = entry;
        made.AbsoluteExpirationRelativeToNow = lifetime;
    }

    public void Remove(string key) => _cache.Remove(key);

    public void Dispose() => _cache.Dispose();

    private void MakeRoom(int max) => Trim(max, least: 1);

    // Counting takes every lock of the dictionary: it is done once for as many writes as there is room for at least.
    private void Trim(int max, int least)
    {
        lock (_gate)
        {
            var count = _cache.Count;
            if (count > max - least)
            {
                var excess = Math.Max(count - max + least, (int)(max * Share));
                _cache.Compact(Math.Min(1, (excess + 0.5) / count));
                count = _cache.Count;
            }

            Volatile.Write(ref _roomOf, max);
            Volatile.Write(ref _room, max - count - 1);
        }
    }
}
