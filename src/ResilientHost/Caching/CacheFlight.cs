using Microsoft.Extensions.Caching.Hybrid;

namespace ResilientHost.Caching;

/// <summary>One fetch of one key, that all who ask for it meanwhile wait for.</summary>
internal abstract class CacheFlight
{
    private static readonly AsyncLocal<CacheFlight?> Ambient = new();

    /// <summary>The flight whose factory is running around here.</summary>
    public static CacheFlight? Current
    {
        get => Ambient.Value;
        protected set => Ambient.Value = value;
    }

    public required CacheCore Core { get; init; }

    public required string Key { get; init; }

    public required CachePolicy Policy { get; init; }

    public required HybridCacheEntryOptions? Options { get; init; }

    /// <summary>Only those who ask with the same flags share it.</summary>
    public required HybridCacheEntryFlags Flags { get; init; }

    /// <summary>Whether its value is kept: the cache is on, and the key no longer than it may be.</summary>
    public required bool Keeps { get; init; }

    public required CacheTag[] Tags { get; init; }

    /// <summary>The stamp since which it has been under way; above all others while it waits for its turn.</summary>
    public long Began { get; private set; } = long.MaxValue;

    /// <summary>Whether it has been given its turn.</summary>
    public bool HasBegun => Began != long.MaxValue;

    /// <summary>Whether nobody need wait for it.</summary>
    public required bool IsBackground { get; init; }

    /// <summary>The flight whose factory asked, and waits for it.</summary>
    public required CacheFlight? Parent { get; init; }

    /// <summary>The key's next flight, of another type or other flags. Under the shard's gate, as all that follows.</summary>
    public CacheFlight? Next { get; set; }

    /// <summary>Whether newcomers find it, and its value is kept.</summary>
    public bool IsLinked { get; set; }

    /// <summary>Whether others are asked in its place: it is of the same type, and the same flags.</summary>
    public abstract bool IsLike(CacheFlight other);

    /// <summary>Gives it its turn. Under the shard's gate.</summary>
    public void Begin()
    {
        if (!HasBegun)
        {
            Began = Core.Stamps.Next();
            OnBegun();
        }
    }

    /// <summary>The key was written or removed while it waited for its turn: what it has to give out if it fails is known to be wrong. Under the shard's gate.</summary>
    public abstract void ForgetStale();

    /// <summary>Ends it, whoever waits for it: the cache is disposed.</summary>
    public abstract void End();

    /// <summary>Whether the code that asks runs in this flight's own factory, and would wait for itself.</summary>
    public bool IsAround()
    {
        for (var flight = Current; flight is not null; flight = flight.Parent)
        {
            if (ReferenceEquals(flight, this))
            {
                return true;
            }
        }

        return false;
    }

    protected abstract void OnBegun();

    protected bool Has(HybridCacheEntryFlags flag) => (Flags & flag) != HybridCacheEntryFlags.None;
}
