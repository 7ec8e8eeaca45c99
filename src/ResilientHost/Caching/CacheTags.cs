using System.Collections.Concurrent;

namespace ResilientHost.Caching;

/// <summary>The tags of one cache. Entries hold theirs, so a hit looks nothing up; what nothing holds is forgotten, so there are never more than entries have.</summary>
/// <remarks>Thread-safe.</remarks>
internal sealed class CacheTags
{
    /// <summary>Most tags that are remembered because others could not be told of their invalidation.</summary>
    public const int MaxUnpublished = 10_000;

    public const string Wildcard = "*";

    private readonly ConcurrentDictionary<string, WeakReference<CacheTag>> _tags = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, CacheTag> _unpublished = new(StringComparer.Ordinal);
    private readonly Lock _gate = new();
    private int _pruneAt = 1024;

    /// <summary>The tag that every entry has.</summary>
    public CacheTag All { get; } = new(Wildcard);

    /// <summary>Tags that the table knows, those that are gone but not swept yet included.</summary>
    public int Count => _tags.Count;

    public CacheTag Get(string name)
    {
        if (name == Wildcard)
        {
            return All;
        }

        if (_tags.TryGetValue(name, out var weak) && weak.TryGetTarget(out var tag))
        {
            return tag;
        }

        lock (_gate)
        {
            if (_tags.TryGetValue(name, out weak) && weak.TryGetTarget(out tag))
            {
                return tag;
            }

            tag = new CacheTag(name);
            _tags[name] = new WeakReference<CacheTag>(tag);
            if (_tags.Count >= _pruneAt)
            {
                Prune();
            }

            return tag;
        }
    }

    /// <summary>The distinct tags of these names; empty names are none.</summary>
    public CacheTag[] Get(IEnumerable<string>? names) =>
        names is null ? [] : [.. names.Where(static name => !string.IsNullOrEmpty(name) && name != Wildcard).Distinct(StringComparer.Ordinal).Select(Get)];

    /// <summary>Whether nothing has been invalidated since a value began.</summary>
    public bool AreValid(CacheTag[] tags, long began)
    {
        if (All.Invalidated >= began)
        {
            return false;
        }

        foreach (var tag in tags)
        {
            if (tag.Invalidated >= began)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Whether it is time to ask what others have invalidated.</summary>
    public bool AreDue(CacheTag[] tags, long now, long interval)
    {
        if (All.IsDue(now, interval))
        {
            return true;
        }

        foreach (var tag in tags)
        {
            if (tag.IsDue(now, interval))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Holds a tag whose invalidation others could not be told of, until they are.</summary>
    /// <returns>Whether there was room.</returns>
    public bool Hold(CacheTag tag)
    {
        if (_unpublished.Count >= MaxUnpublished && !_unpublished.ContainsKey(tag.Name))
        {
            return false;
        }

        _unpublished[tag.Name] = tag;
        return true;
    }

    public void Release(CacheTag tag)
    {
        if (tag.Unpublished == 0)
        {
            _unpublished.TryRemove(tag.Name, out _);
        }
    }

    /// <summary>Whether there are tags whose invalidation others could not be told of.</summary>
    public bool HasHeld => !_unpublished.IsEmpty;

    /// <summary>Tags whose invalidation others could not be told of.</summary>
    public IEnumerable<CacheTag> Held => _unpublished.Values;

    // Under the lock.
    private void Prune()
    {
        foreach (var (name, weak) in _tags)
        {
            if (!weak.TryGetTarget(out _))
            {
                _tags.TryRemove(name, out _);
            }
        }

        _pruneAt = Math.Max(1024, 2 * _tags.Count);
    }
}
