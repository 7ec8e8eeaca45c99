namespace ResilientHost.Caching;

/// <summary>One tag, as long as something holds it: an entry, a flight, or a marker that could not be published yet.</summary>
/// <remarks>Thread-safe. Stamps only grow, so that values which were made before an invalidation never come back.</remarks>
internal sealed class CacheTag(string name)
{
    private long _invalidated;
    private long _unpublished;
    private long _checkedAt = long.MinValue;
    private int _isRefreshing;

    public string Name => name;

    /// <summary>Values that began at this stamp or before are not valid.</summary>
    public long Invalidated => Volatile.Read(ref _invalidated);

    /// <summary>The stamp that other processes have not been told of; 0: there is none.</summary>
    public long Unpublished => Volatile.Read(ref _unpublished);

    public void Invalidate(long stamp) => CacheStamps.AtLeast(ref _invalidated, stamp);

    public void KeepUnpublished(long stamp) => CacheStamps.AtLeast(ref _unpublished, stamp);

    /// <summary>That others have been told. A later one that they have not been told of stays.</summary>
    public void Published(long stamp) => Interlocked.CompareExchange(ref _unpublished, 0, stamp);

    /// <summary>Whether it is time to ask the distributed cache what others have invalidated.</summary>
    public bool IsDue(long now, long interval) => Volatile.Read(ref _checkedAt) is var last && (last == long.MinValue || now - last >= interval);

    /// <summary>Whether it has ever been learned what others have invalidated.</summary>
    public bool IsKnown { get; private set; }

    public bool TryBeginRefresh() => Interlocked.Exchange(ref _isRefreshing, 1) == 0;

    public void EndRefresh(long now, bool isKnown)
    {
        IsKnown |= isKnown;
        Volatile.Write(ref _checkedAt, now);
        Volatile.Write(ref _isRefreshing, 0);
    }
}
