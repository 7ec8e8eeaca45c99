namespace ResilientHost.Caching;

/// <summary>What those who wait for a flight get. Thread-safe.</summary>
/// <param name="read">What it is.</param>
/// <param name="entry">Where each takes its value from; <see langword="null"/>: it cannot be copied, and all get the original.</param>
/// <param name="original">The value as it was made.</param>
/// <param name="hasOriginal">Whether there is one: the first who asks may have it, a copy less.</param>
internal sealed class CacheAnswer<T>(CacheRead read, CacheEntry<T>? entry, T? original, bool hasOriginal)
{
    private int _isTaken;

    public CacheRead Read => read;

    public T? Take() => entry is null || (hasOriginal && Interlocked.Exchange(ref _isTaken, 1) == 0) ? original : entry.Read();
}
