using Microsoft.Extensions.Caching.Hybrid;
using ResilientHost.Hosting;

namespace ResilientHost.Caching;

/// <summary>What is in force for one cache; made once for each change. Immutable.</summary>
internal sealed class CachePolicy
{
    /// <summary>What a call asks for has no bound of its own, and times have to be added up.</summary>
    public static readonly TimeSpan MaxExpiration = TimeSpan.FromDays(3650);

    private readonly CacheOptions _options;

    public CachePolicy(CacheSettings settings, string? name, MonotonicClock clock)
    {
        Settings = settings;
        _options = name is not null && settings.Named.TryGetValue(name, out var named) ? named : settings.Default;
        Enabled = settings.Enabled && _options.Enabled;
        KeyFilter = Enabled ? _options.KeyFilter : null;
        StaleTicks = clock.ToTimestampTicks(_options.StaleFor);
        FailureDelayTicks = clock.ToTimestampTicks(_options.FailureDelay);
    }

    /// <summary>What it was made of.</summary>
    public CacheSettings Settings { get; }

    public bool Enabled { get; }

    public Func<string, bool>? KeyFilter { get; }

    public long StaleTicks { get; }

    public long FailureDelayTicks { get; }

    public TimeSpan StaleFor => _options.StaleFor;

    public TimeSpan? SoftTimeout => Enabled ? _options.SoftTimeout : null;

    public TimeSpan? HardTimeout => Enabled ? _options.HardTimeout : null;

    public double? EagerRefresh => _options.EagerRefresh;

    public int MaxEntries => _options.MaxEntries;

    public int MaximumKeyLength => _options.MaximumKeyLength;

    public int MaximumPayloadBytes => _options.MaximumPayloadBytes;

    public TimeSpan DistributedTimeout => _options.DistributedTimeout;

    public int? MaxConcurrentFactories => Enabled ? _options.MaxConcurrentFactories : null;

    /// <summary>For how long a value is fresh, in all and in this process; zero or less: it is not kept.</summary>
    /// <param name="call">What the call itself says.</param>
    /// <param name="isNull">Whether there is no value.</param>
    /// <param name="random">From 0 to below 1: how much of the jitter it gets.</param>
    public (TimeSpan Overall, TimeSpan Local) Freshness(HybridCacheEntryOptions? call, bool isNull, double random)
    {
        var overall = call?.Expiration ?? _options.Expiration;
        if (isNull && overall > _options.NegativeExpiration)
        {
            overall = _options.NegativeExpiration;
        }

        if (overall > MaxExpiration)
        {
            overall = MaxExpiration;
        }

        var local = call?.LocalCacheExpiration ?? _options.LocalExpiration ?? overall;
        var share = 1 - (_options.ExpirationJitter * random);
        return (overall * share, (local < overall ? local : overall) * share);
    }

    /// <summary>For how long a value that comes from the distributed cache is fresh in this process.</summary>
    public TimeSpan LocalFreshness(HybridCacheEntryOptions? call, TimeSpan left, double random)
    {
        if ((call?.LocalCacheExpiration ?? _options.LocalExpiration) is not { } local)
        {
            return left;
        }

        local *= 1 - (_options.ExpirationJitter * random);
        return local < left ? local : left;
    }
}
