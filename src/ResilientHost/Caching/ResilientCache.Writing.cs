using Microsoft.Extensions.Caching.Hybrid;

namespace ResilientHost.Caching;

// Who reads after a write has ended sees it, or what came later: never what was there before.
internal sealed partial class ResilientCache
{
    public override async ValueTask SetAsync<T>(
        string key, T value, HybridCacheEntryOptions? options = null, IEnumerable<string>? tags = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(key);
        cancellationToken.ThrowIfCancellationRequested();
        var policy = core.Policy;
        if (!policy.Enabled || key.Length > policy.MaximumKeyLength)
        {
            // What was kept before must not come back when the cache is turned on again.
            await RemoveAsync(key, cancellationToken);
            return;
        }

        var flags = options?.Flags ?? HybridCacheEntryFlags.None;
        var toDistributed = (flags & HybridCacheEntryFlags.DisableDistributedCacheWrite) == HybridCacheEntryFlags.None && core.Distributed is not null && DistributedTier.CanKeep(key);
        var tagged = core.Tags.Get(tags);
        var stamp = core.Stamps.Next();
        MadeValue<T> made;
        try
        {
            made = core.Make(value, stamp, tagged, options, policy, toDistributed);
        }
        catch
        {
            await RemoveAsync(key, cancellationToken);
            throw;
        }

        var keepsLocal = made.Entry is not null && (flags & HybridCacheEntryFlags.DisableLocalCacheWrite) == HybridCacheEntryFlags.None;
        await WriteAsync(key, keepsLocal ? made.Entry : null, toDistributed, made.Envelope, made.Lifetime, stamp, policy).WaitAsync(cancellationToken);
    }

    public override async ValueTask RemoveAsync(string key, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(key);
        cancellationToken.ThrowIfCancellationRequested();
        var toDistributed = core.Distributed is not null && DistributedTier.CanKeep(key);
        await WriteAsync(key, entry: null, toDistributed, envelope: null, lifetime: default, core.Stamps.Next(), core.Policy).WaitAsync(cancellationToken);
    }

    public override async ValueTask RemoveByTagAsync(string tag, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(tag);
        cancellationToken.ThrowIfCancellationRequested();
        if (tag.Length > 0)
        {
            await core.InvalidateAsync(tag).WaitAsync(cancellationToken);
        }
    }

    private Task WriteAsync(string key, CacheEntry? entry, bool toDistributed, CacheEnvelope? envelope, TimeSpan lifetime, long stamp, CachePolicy policy)
    {
        var shard = core.ShardOf(key);
        lock (shard.Gate)
        {
            shard.Supersede(key);
            if (entry is null)
            {
                core.Memory.Remove(key);
            }
            else
            {
                core.Memory.Set(key, entry, lifetime);
            }

            return toDistributed
                ? shard.Enqueue(key, new CacheWrite(envelope, lifetime, policy.DistributedTimeout, stamp, Distrusted: stamp), core.WriteDistributedAsync)
                : Task.CompletedTask;
        }
    }
}
