using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Caching.Hybrid;

namespace ResilientHost.Caching;

/// <summary>A <see cref="HybridCache"/> whose reads hold up when what is behind them does not.</summary>
/// <remarks>Thread-safe. A hit takes no lock and allocates nothing, but for a reader's own copy of a value that could be changed.</remarks>
internal sealed partial class ResilientCache(CacheCore core) : HybridCache, IDisposable
{
    /// <summary>What its reads and writes share.</summary>
    public CacheCore Core => core;

    public override ValueTask<T> GetOrCreateAsync<TState, T>(
        string key,
        TState state,
        Func<TState, CancellationToken, ValueTask<T>> factory,
        HybridCacheEntryOptions? options = null,
        IEnumerable<string>? tags = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(factory);
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<T>(cancellationToken);
        }

        var policy = core.Policy;
        if (policy.KeyFilter is { } filter && !CanBe(filter, key))
        {
            core.Metrics.Read(core.Name, CacheRead.Filtered);
            return new ValueTask<T>(default(T)!);
        }

        CacheEntry<T>? known = null;
        var flags = options?.Flags ?? HybridCacheEntryFlags.None;
        if (policy.Enabled && (flags & HybridCacheEntryFlags.DisableLocalCacheRead) == HybridCacheEntryFlags.None && core.Memory.TryGet(key, out var found) && IsValid(found, out known))
        {
            var now = core.Clock.CoarseTimestamp();
            if (known.IsFresh(now) && TryTake(known, now, out var value))
            {
                if (policy.EagerRefresh is { } share
                    && known.IsEagerlyDue(now, share)
                    && (flags & HybridCacheEntryFlags.DisableUnderlyingData) == HybridCacheEntryFlags.None
                    && known.TryBeginRefresh())
                {
                    RefreshInBackground(new Asked<TState, T>(key, state, factory, options, tags, flags, policy), known);
                }

                return new ValueTask<T>(value!);
            }
        }

        return ReadOnAsync(new Asked<TState, T>(key, state, factory, options, tags, flags, policy), known, cancellationToken);
    }

    public override ValueTask<T> GetOrCreateAsync<TState, T>(
        ReadOnlySpan<char> key,
        TState state,
        Func<TState, CancellationToken, ValueTask<T>> factory,
        HybridCacheEntryOptions? options = null,
        IEnumerable<string>? tags = null,
        CancellationToken cancellationToken = default)
    {
        // A hit needs no string of the key; all else does.
        var policy = core.Policy;
        if (policy is { Enabled: true, KeyFilter: null, EagerRefresh: null }
            && !cancellationToken.IsCancellationRequested
            && ((options?.Flags ?? HybridCacheEntryFlags.None) & HybridCacheEntryFlags.DisableLocalCacheRead) == HybridCacheEntryFlags.None
            && core.Memory.TryGet(key, out var found)
            && IsValid<T>(found, out var known)
            && core.Clock.CoarseTimestamp() is var now
            && known.IsFresh(now)
            && TryTake(known, now, out var value))
        {
            return new ValueTask<T>(value!);
        }

        return GetOrCreateAsync(key.ToString(), state, factory, options, tags, cancellationToken);
    }

    public void Dispose() => core.Dispose();

    private bool IsValid<T>(object? found, [NotNullWhen(true)] out CacheEntry<T>? entry)
    {
        entry = found as CacheEntry<T>;
        if (entry is not null && core.Tags.AreValid(entry.Tags, entry.Began))
        {
            return true;
        }

        entry = null;
        return false;
    }

    private bool TryTake<T>(CacheEntry<T> entry, long now, out T? value)
    {
        try
        {
            value = entry.Read();
        }
        catch (Exception exception)
        {
            core.Log.Unreadable(core.Name, exception);
            value = default;
            return false;
        }

        core.LearnSoon(entry.Tags, now);
        core.Metrics.Read(core.Name, entry.IsNull ? CacheRead.NegativeHit : CacheRead.Hit);
        return true;
    }

    private bool CanBe(Func<string, bool> filter, string key)
    {
        try
        {
            return filter(key);
        }
        catch (Exception exception)
        {
            core.Log.FilterFailed(core.Name, exception);
            return true;
        }
    }

    /// <summary>What a read was asked.</summary>
    [System.Runtime.InteropServices.StructLayout(System.Runtime.InteropServices.LayoutKind.Auto)]
    private readonly record struct Asked<TState, T>(
        string Key,
        TState State,
        Func<TState, CancellationToken, ValueTask<T>> Factory,
        HybridCacheEntryOptions? Options,
        IEnumerable<string>? Tags,
        HybridCacheEntryFlags Flags,
        CachePolicy Policy)
    {
        public bool Keeps => Policy.Enabled && Key.Length <= Policy.MaximumKeyLength;
    }
}
