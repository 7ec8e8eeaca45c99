using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.Caching.Hybrid;
using ResilientHost.Hosting;

namespace ResilientHost.Caching;

/// <summary>What the reads and writes of one cache share. Thread-safe.</summary>
internal sealed class CacheCore : IDisposable
{
    /// <summary>How long it takes at most, and a read, until it is seen that another process has invalidated a tag.</summary>
    public static readonly TimeSpan TagInterval = TimeSpan.FromSeconds(5);

    private readonly CacheShard[] _shards = [.. Enumerable.Range(0, 64).Select(static _ => new CacheShard())];
    private readonly string? _section;
    private readonly Func<CacheSettings> _settings;
    private readonly Random _random;
    private readonly long _tagInterval;
    private CachePolicy? _policy;
    private int _isPublishingHeld;
    private volatile bool _isDisposed;
    private long _longest = TimeSpan.TicksPerDay;

    /// <param name="section">Name of its options; <see langword="null"/>: the defaults.</param>
    /// <param name="settings">What is in force.</param>
    /// <param name="distributed">The distributed cache, if there is one.</param>
    /// <param name="services">What all caches share.</param>
    public CacheCore(string? section, Func<CacheSettings> settings, IDistributedCache? distributed, CacheServices services)
    {
        (_section, _settings, _random) = (section, settings, services.Random);
        (Name, Clock, Codecs, Metrics, Log) = (section ?? CacheNames.Default, services.Clock, services.Codecs, services.Metrics, services.Log);
        _tagInterval = Clock.ToTimestampTicks(TagInterval);
        Stamps = new CacheStamps(Clock);
        Memory = new CacheMemory(() => Policy.MaxEntries);
        Distributed = distributed is null ? null : new DistributedTier(distributed, Name, Clock, Log);
    }

    public string Name { get; }

    public MonotonicClock Clock { get; }

    public CacheCodecs Codecs { get; }

    public CacheMetrics Metrics { get; }

    public CacheLog Log { get; }

    public CacheStamps Stamps { get; }

    public CacheTags Tags { get; } = new();

    public CacheMemory Memory { get; }

    public DistributedTier? Distributed { get; }

    public FactoryGate Gate { get; } = new();

    public CachePolicy Policy
    {
        get
        {
            var settings = _settings();
            var policy = Volatile.Read(ref _policy);
            if (policy is null || !ReferenceEquals(policy.Settings, settings))
            {
                Volatile.Write(ref _policy, policy = new CachePolicy(settings, _section, Clock));
            }

            return policy;
        }
    }

    /// <summary>Whether nothing is being fetched or written, for tests.</summary>
    public bool IsIdle => _shards.All(static shard =>
    {
        lock (shard.Gate)
        {
            return shard.IsIdle;
        }
    });

    public CacheShard ShardOf(string key) => _shards[(uint)key.GetHashCode(StringComparison.Ordinal) % (uint)_shards.Length];

    public double Jitter() => _random.NextDouble();

    /// <summary>What a new value becomes.</summary>
    /// <exception cref="Exception">What the serializer throws, where readers need a copy each.</exception>
    public MadeValue<T> Make<T>(T? value, long began, CacheTag[] tags, HybridCacheEntryOptions? options, CachePolicy policy, bool forDistributed)
    {
        var (overall, local) = policy.Freshness(options, value is null, Jitter());
        if (overall <= TimeSpan.Zero)
        {
            return default;
        }

        var codec = Codecs.For<T>();
        var payload = value is not null && (forDistributed || !codec.IsShared) ? Serialize(codec, value) : null;
        var now = Clock.Timestamp();
        var entry = new CacheEntry<T>(codec, value, payload)
        {
            Began = began,
            CreatedAt = now,
            FreshUntil = now + Clock.ToTimestampTicks(overall),
            LocalFreshUntil = now + Clock.ToTimestampTicks(local),
            Tags = tags,
        };
        var envelope = forDistributed && (value is null || payload?.Length <= policy.MaximumPayloadBytes)
            ? new CacheEnvelope(began, Clock.UtcNow.UtcTicks, overall, value is null, [.. tags.Select(static tag => tag.Name)], payload)
            : null;
        var lifetime = value is null ? overall : overall + policy.StaleFor;
        CacheStamps.AtLeast(ref _longest, lifetime.Ticks);
        return new(entry, envelope, lifetime);
    }

    /// <summary>Learns, if it is time to, what other processes have invalidated.</summary>
    /// <returns>Whether it is known of all these tags, of an earlier time perhaps.</returns>
    public async Task<bool> LearnAsync(CacheTag[] tags)
    {
        var now = Clock.CoarseTimestamp();
        await Task.WhenAll(tags.Append(Tags.All).Where(tag => tag.IsDue(now, _tagInterval)).Select(LearnAsync));
        return Tags.All.IsKnown && Array.TrueForAll(tags, static tag => tag.IsKnown);
    }

    /// <summary>As <see cref="LearnAsync(CacheTag[])"/>, without anybody waiting for it. Almost always there is nothing to do.</summary>
    public void LearnSoon(CacheTag[] tags, long now)
    {
        if (Distributed is null || !Tags.AreDue(tags, now, _tagInterval))
        {
            return;
        }

        foreach (var tag in tags.Append(Tags.All))
        {
            if (tag.IsDue(now, _tagInterval) && tag.TryBeginRefresh())
            {
                ThreadPool.UnsafeQueueUserWorkItem(static state => _ = state.Core.LearnAsync(state.Tag), (Core: this, Tag: tag), preferLocal: false);
            }
        }
    }

    /// <summary>Invalidates all values that began before now and have the tag, here at once, elsewhere when the distributed cache has been told.</summary>
    public async Task InvalidateAsync(string name)
    {
        var tag = Tags.Get(name);
        var stamp = Stamps.Next();
        tag.Invalidate(stamp);
        if (Distributed is not null)
        {
            tag.KeepUnpublished(stamp);
            await PublishAsync(tag);
        }
    }

    /// <summary>Writes to the distributed cache, in the key's turn.</summary>
    public async Task WriteDistributedAsync(string key, CacheWrite write)
    {
        await Distributed!.WriteAsync(key, write);
        if (write.Distrusted is not { } stamp)
        {
            return;
        }

        var shard = ShardOf(key);
        lock (shard.Gate)
        {
            // Who began to fetch while the distributed cache still had the value of before may have got that.
            shard.Supersede(key);
            if (!_isDisposed && Memory.TryGet(key, out var found) && found is CacheEntry kept && kept.Began < stamp)
            {
                Memory.Remove(key);
            }
        }
    }

    public void Dispose()
    {
        _isDisposed = true;
        foreach (var shard in _shards)
        {
            List<CacheFlight> flights;
            lock (shard.Gate)
            {
                flights = shard.All();
            }

            flights.ForEach(static flight => flight.End());
        }

        Memory.Dispose();
    }

    private byte[]? Serialize<T>(CacheCodec<T> codec, T value)
    {
        try
        {
            return codec.Serialize(value);
        }
        catch (Exception exception) when (codec.IsShared)
        {
            // In this process it can be kept all the same.
            Log.NotKept(Name, exception);
            return null;
        }
    }

    private async Task LearnAsync(CacheTag tag)
    {
        var isKnown = await ReadAsync(tag);
        if (isKnown && tag.Unpublished != 0)
        {
            await PublishAsync(tag);
        }

        tag.EndRefresh(Clock.CoarseTimestamp(), isKnown);
        if (isKnown && ReferenceEquals(tag, Tags.All))
        {
            PublishHeldSoon();
        }
    }

    // The distributed cache answers: time to tell it what it has missed. There may be thousands, one by one; no reader waits for that.
    private void PublishHeldSoon()
    {
        if (Tags.HasHeld && Interlocked.Exchange(ref _isPublishingHeld, 1) == 0)
        {
            ThreadPool.UnsafeQueueUserWorkItem(static core => _ = core.PublishHeldAsync(), this, preferLocal: false);
        }
    }

    private async Task PublishHeldAsync()
    {
        try
        {
            foreach (var held in Tags.Held)
            {
                if (_isDisposed)
                {
                    return;
                }

                await PublishAsync(held);
            }
        }
        finally
        {
            Volatile.Write(ref _isPublishingHeld, 0);
        }
    }

    private async Task<bool> ReadAsync(CacheTag tag)
    {
        var (isKnown, stamp) = await Distributed!.ReadMarkerAsync(tag.Name, Policy.DistributedTimeout);
        if (isKnown && Stamps.Observe(stamp))
        {
            tag.Invalidate(stamp);
        }

        return isKnown;
    }

    private async Task PublishAsync(CacheTag tag)
    {
        // Another process' later marker covers this one, and must not be replaced by it.
        var stamp = tag.Unpublished;
        if (stamp == 0)
        {
            return;
        }

        var lifetime = TimeSpan.FromTicks(Volatile.Read(ref _longest)) + TimeSpan.FromHours(1);
        var isTold = await ReadAsync(tag)
            && (tag.Invalidated > stamp || await Distributed!.WriteMarkerAsync(tag.Name, stamp, lifetime, Policy.DistributedTimeout));
        if (isTold)
        {
            tag.Published(stamp);
            Tags.Release(tag);
        }
        else if (!Tags.Hold(tag))
        {
            Distributed!.DistrustAll(stamp);
        }
    }
}

/// <summary>What a new value becomes.</summary>
/// <param name="Entry">For this process; <see langword="null"/>: it is not kept.</param>
/// <param name="Envelope">For the distributed cache; <see langword="null"/>: it is not kept there.</param>
/// <param name="Lifetime">After which it is of no use to anybody.</param>
[System.Runtime.InteropServices.StructLayout(System.Runtime.InteropServices.LayoutKind.Auto)]
internal readonly record struct MadeValue<T>(CacheEntry<T>? Entry, CacheEnvelope? Envelope, TimeSpan Lifetime);
