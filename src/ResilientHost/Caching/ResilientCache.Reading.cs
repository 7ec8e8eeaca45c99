using Microsoft.Extensions.Caching.Hybrid;
using ResilientHost.Propagation;

namespace ResilientHost.Caching;

// Reads that found nothing fresh in memory.
internal sealed partial class ResilientCache
{
    private ValueTask<T> ReadOnAsync<TState, T>(Asked<TState, T> asked, CacheEntry<T>? known, CancellationToken cancellationToken)
    {
        if ((asked.Flags & HybridCacheEntryFlags.DisableUnderlyingData) != HybridCacheEntryFlags.None)
        {
            return ReadCachedAsync<TState, T>(asked, cancellationToken);
        }

        var now = core.Clock.CoarseTimestamp();
        var stale = known?.IsUsable(now, asked.Policy.StaleTicks) == true ? known : null;
        if (stale is not null && !stale.IsFresh(now))
        {
            if (stale.IsLeftAlone(now))
            {
                return GiveStale(stale);
            }

            if (asked.Policy.SoftTimeout == TimeSpan.Zero)
            {
                if (stale.TryBeginRefresh())
                {
                    stale.LeaveAlone();
                    RefreshInBackground(asked, stale);
                }

                return GiveStale(stale);
            }
        }

        return FetchAsync(asked, stale, now, cancellationToken);
    }

    private ValueTask<T> GiveStale<T>(CacheEntry<T> stale)
    {
        core.Metrics.Read(core.Name, CacheRead.Stale);
        return new ValueTask<T>(stale.Read()!);
    }

    private ValueTask<T> FetchAsync<TState, T>(Asked<TState, T> asked, CacheEntry<T>? stale, long now, CancellationToken cancellationToken)
    {
        var tags = core.Tags.Get(asked.Tags);
        var shard = core.ShardOf(asked.Key);
        CacheFlight<T>? flight;
        Task<CacheAnswer<T>> answer;
        CacheEntry<T>? kept = null;
        var isNew = false;
        lock (shard.Gate)
        {
            flight = Find<T>(shard, asked.Key, asked.Flags, asked.Keeps);

            // A flight that has just ended left its value behind, under the same lock.
            if (flight is null && asked.Keeps && (asked.Flags & HybridCacheEntryFlags.DisableLocalCacheRead) == HybridCacheEntryFlags.None
                && core.Memory.TryGet(asked.Key, out var found) && IsValid(found, out kept) && !kept.IsFresh(now))
            {
                kept = null;
            }

            if (flight is null && kept is null)
            {
                isNew = true;
                flight = NewFlight(asked, tags, stale, isBackground: false);
                shard.Link(flight);
            }

            answer = flight?.Join(now)!;
        }

        if (kept is not null && TryTake(kept, now, out var value))
        {
            return new ValueTask<T>(value!);
        }

        if (flight is null)
        {
            // It was there and could not be read, which cannot be helped by waiting.
            core.Memory.Remove(asked.Key);
            return FetchAsync(asked, stale, now, cancellationToken);
        }

        if (isNew)
        {
            flight.Start();
        }

        return WaitAsync(flight, answer, cancellationToken);
    }

    private async ValueTask<T> WaitAsync<T>(CacheFlight<T> flight, Task<CacheAnswer<T>> answer, CancellationToken cancellationToken)
    {
        try
        {
            var given = await answer.WaitAsync(cancellationToken);
            var value = given.Take();
            core.Metrics.Read(core.Name, given.Read);
            return value!;
        }
        catch (Exception) when (!cancellationToken.IsCancellationRequested)
        {
            core.Metrics.Read(core.Name, CacheRead.Failed);
            if (flight.DependencyFailed)
            {
                InboundCall.Current?.NoteDependencyFailure();
            }

            throw;
        }
        finally
        {
            flight.Leave();
        }
    }

    /// <summary>Asks the factory without anybody waiting for it. The caller has begun the entry's refresh.</summary>
    private void RefreshInBackground<TState, T>(in Asked<TState, T> asked, CacheEntry<T> known)
    {
        CacheTag[] tags;
        try
        {
            tags = core.Tags.Get(asked.Tags);
        }
        catch (Exception exception)
        {
            // The reader's own code. It has a value all the same.
            core.Log.FactoryFailed(core.Name, exception);
            known.EndRefresh(core.Clock.CoarseTimestamp() + asked.Policy.FailureDelayTicks);
            return;
        }

        var shard = core.ShardOf(asked.Key);
        CacheFlight<T> flight;
        lock (shard.Gate)
        {
            // A refresh that ended after this reader had looked left its value behind, under the same lock.
            if (core.Memory.TryGet(asked.Key, out var kept) && !ReferenceEquals(kept, known))
            {
                known.EndRefresh(long.MinValue);
                return;
            }

            for (var other = shard.Find(asked.Key); other is not null; other = other.Next)
            {
                if (other is CacheFlight<T> && other.Keeps)
                {
                    known.EndRefresh(long.MinValue);
                    return;
                }
            }

            flight = NewFlight(asked, tags, known, isBackground: true);
            shard.Link(flight);
        }

        flight.Start();
    }

    // Under the shard's gate.
    private CacheFlight<T>? Find<T>(CacheShard shard, string key, HybridCacheEntryFlags flags, bool keeps)
    {
        for (var flight = shard.Find(key); flight is not null; flight = flight.Next)
        {
            if (flight is not CacheFlight<T> same || flight.Flags != flags || flight.Keeps != keeps)
            {
                continue;
            }

            if (!core.Tags.AreValid(flight.Tags, flight.Began))
            {
                // It began before the invalidation that this reader came after.
                shard.Supersede(flight);
                return Find<T>(shard, key, flags, keeps);
            }

            return same.IsAround()
                ? throw new InvalidOperationException($"The factory of a key of cache '{core.Name}' reads that same key, and would wait for itself.")
                : same;
        }

        return null;
    }

    private CacheFlight<TState, T> NewFlight<TState, T>(in Asked<TState, T> asked, CacheTag[] tags, CacheEntry<T>? stale, bool isBackground) => new(asked.State, asked.Factory)
    {
        Core = core,
        Key = asked.Key,
        Policy = asked.Policy,
        Options = asked.Options,
        Flags = asked.Flags,
        Keeps = asked.Keeps,
        Tags = tags,
        Parent = isBackground ? null : CacheFlight.Current,
        IsBackground = isBackground,
        Stale = asked.Keeps ? stale : null,
    };

    // The application wants what is kept and nothing else: not stale, and no factory.
    private async ValueTask<T> ReadCachedAsync<TState, T>(Asked<TState, T> asked, CancellationToken cancellationToken)
    {
        if (core.Distributed is { } distributed
            && asked.Keeps
            && (asked.Flags & HybridCacheEntryFlags.DisableDistributedCacheRead) == HybridCacheEntryFlags.None
            && DistributedTier.CanKeep(asked.Key)
            && await distributed.ReadAsync(asked.Key, asked.Policy.DistributedTimeout, cancellationToken) is { } envelope
            && core.Stamps.Observe(envelope.Began)
            && envelope.CreatedUtc + envelope.Fresh.Ticks > core.Clock.UtcNow.UtcTicks
            && core.Tags.Get(envelope.Tags) is var tags
            && await core.LearnAsync(tags)
            && core.Tags.AreValid(tags, envelope.Began))
        {
            try
            {
                var value = envelope.IsNull ? default : core.Codecs.For<T>().Deserialize(envelope.Payload);
                core.Metrics.Read(core.Name, envelope.IsNull ? CacheRead.NegativeHit : CacheRead.DistributedHit);
                return value!;
            }
            catch (Exception exception)
            {
                core.Log.Unreadable(core.Name, exception);
            }
        }

        core.Metrics.Read(core.Name, CacheRead.Miss);
        return default!;
    }
}
