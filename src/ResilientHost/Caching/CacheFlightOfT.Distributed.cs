namespace ResilientHost.Caching;

// What another process has made.
internal abstract partial class CacheFlight<T>
{
    private async Task<bool> TryDistributedAsync()
    {
        if (Core.Tags.HasHeld)
        {
            Core.LearnSoon([], Core.Clock.CoarseTimestamp());
        }

        var envelope = await Core.Distributed!.ReadAsync(Key, Policy.DistributedTimeout, _cancellation.Token);
        if (envelope is null || !Core.Stamps.Observe(envelope.Began))
        {
            return false;
        }

        var tags = Core.Tags.Get(envelope.Tags);
        if (!await Core.LearnAsync(tags) || !Core.Tags.AreValid(tags, envelope.Began) || Decode(envelope, tags, out var original, out var lifetime) is not { } entry)
        {
            return false;
        }

        var now = Core.Clock.CoarseTimestamp();
        var isOlder = _stale?.Began >= entry.Began;
        if (!entry.IsFresh(now) || (IsBackground && isOlder))
        {
            if (!isOlder && entry.IsUsable(now, Policy.StaleTicks))
            {
                lock (Shard.Gate)
                {
                    Keep(entry, lifetime, now);
                    if (IsLinked)
                    {
                        _stale = entry;
                    }
                }
            }

            return false;
        }

        lock (Shard.Gate)
        {
            if (_isDone)
            {
                return true;
            }

            Keep(entry, lifetime, now);
            TryEnd(retryAt: long.MinValue);
        }

        Answer(new CacheAnswer<T>(entry.IsNull ? CacheRead.NegativeHit : CacheRead.DistributedHit, entry, original, hasOriginal: true));
        return true;
    }

    // Under the shard's gate. What was written here meanwhile is newer than what the distributed cache had, which may not have seen that write yet.
    private void Keep(CacheEntry<T> entry, TimeSpan lifetime, long now)
    {
        if (IsLinked && WritesLocal && !(Core.Memory.TryGet(Key, out var found) && found is CacheEntry kept && kept.Began > entry.Began && kept.IsFresh(now)))
        {
            Core.Memory.Set(Key, entry, lifetime);
        }
    }

    private CacheEntry<T>? Decode(CacheEnvelope envelope, CacheTag[] tags, out T? original, out TimeSpan lifetime)
    {
        original = default;
        lifetime = default;
        var clock = Core.Clock;
        var codec = Core.Codecs.For<T>();
        try
        {
            original = envelope.IsNull ? default : codec.Deserialize(envelope.Payload);
        }
        catch (Exception exception)
        {
            Core.Log.Unreadable(Core.Name, exception);
            return null;
        }

        if (envelope.IsNull != original is null)
        {
            return null;
        }

        var age = TimeSpan.FromTicks(Math.Max(0, clock.UtcNow.UtcTicks - envelope.CreatedUtc));
        var left = envelope.Fresh - age;
        lifetime = left + (envelope.IsNull ? TimeSpan.Zero : Policy.StaleFor);
        if (lifetime <= TimeSpan.Zero)
        {
            return null;
        }

        var now = clock.CoarseTimestamp();
        return new CacheEntry<T>(codec, original, envelope.Payload.ToArray())
        {
            Began = envelope.Began,
            CreatedAt = now - clock.ToTimestampTicks(age),
            FreshUntil = left > TimeSpan.Zero ? now + clock.ToTimestampTicks(left) : now - clock.ToTimestampTicks(-left),
            LocalFreshUntil = left > TimeSpan.Zero ? now + clock.ToTimestampTicks(Policy.LocalFreshness(Options, left, Core.Jitter())) : now,
            Tags = tags,
        };
    }
}
