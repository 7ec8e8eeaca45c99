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

    /// <summary>The stamp since which it has been under way.</summary>
    public required long Began { get; init; }

    /// <summary>Whether nobody need wait for it.</summary>
    public required bool IsBackground { get; init; }

    /// <summary>The flight whose factory asked.</summary>
    public CacheFlight? Parent { get; } = Current;

    /// <summary>The key's next flight, of another type or other flags. Under the shard's gate, as all that follows.</summary>
    public CacheFlight? Next { get; set; }

    /// <summary>Whether newcomers find it, and its value is kept.</summary>
    public bool IsLinked { get; set; }

    /// <summary>Ends it: nobody waits for it, or the cache is disposed.</summary>
    public abstract void Abandon();

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

    protected bool Has(HybridCacheEntryFlags flag) => (Flags & flag) != HybridCacheEntryFlags.None;
}
