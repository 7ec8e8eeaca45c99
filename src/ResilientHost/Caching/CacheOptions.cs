using ResilientHost.Hosting;

namespace ResilientHost;

/// <summary>How reads through one cache are guarded. Bound from <c>Resilience:Caches:&lt;name&gt;</c>; the cache without a name goes by <c>Default</c>.</summary>
/// <remarks>
/// Not thread-safe; read once per change of configuration, which caches follow in place. What a call says in its own <c>HybridCacheEntryOptions</c> (expirations, flags) comes before these.
/// </remarks>
public sealed class CacheOptions : ICopiedOptions
{
    /// <summary>The cache's kill switch.</summary>
    /// <value>Default <see langword="true"/>. <see langword="false"/>: every read goes to its factory, still one at a time for each key; reloads, both ways.</value>
    public bool Enabled { get; set; } = true;

    /// <summary>How long a value is fresh.</summary>
    /// <value>From 1 ms to 365 days; default 5 minutes.</value>
    public TimeSpan Expiration { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>How long a value is fresh in this process' memory, where there is a distributed cache behind it.</summary>
    /// <value>From 1 ms to <see cref="Expiration"/>; default <see langword="null"/>: as <see cref="Expiration"/>.</value>
    public TimeSpan? LocalExpiration { get; set; }

    /// <summary>How much earlier than <see cref="Expiration"/> a value may go stale, at random, so that values written together do not expire together.</summary>
    /// <value>A share, from 0 to 0.9; default 0.1.</value>
    public double ExpirationJitter { get; set; } = 0.1;

    /// <summary>How long it is remembered that there is no value (the factory gave <see langword="null"/>).</summary>
    /// <value>From 0 (it is not) to 365 days; default 30 s, at most <see cref="Expiration"/>.</value>
    public TimeSpan NegativeExpiration { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long after its expiry a value may still be given out when the factory fails or is too slow.</summary>
    /// <value>From 0 (never) to 365 days; default 1 hour.</value>
    public TimeSpan StaleFor { get; set; } = TimeSpan.FromHours(1);

    /// <summary>How long a stale value is given out without asking the factory again after that failed.</summary>
    /// <value>From 0 to 1 hour; default 5 s.</value>
    public TimeSpan FailureDelay { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How long a caller waits for the factory while there is a stale value; then it gets that, and the factory goes on.</summary>
    /// <value>From 0 (not at all) to 1 day; default <see langword="null"/>: until the hard timeout.</value>
    public TimeSpan? SoftTimeout { get; set; }

    /// <summary>How long a read that asks the factory may take at all, counted from the read; then the factory's token is cancelled, and callers get a stale value or an exception.</summary>
    /// <value>From 1 ms to 1 day; default 30 s; <see langword="null"/>: as long as it takes.</value>
    public TimeSpan? HardTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>From which share of its time on a value that is asked for is fetched again in the background, before it expires.</summary>
    /// <value>Above 0 and below 1; default <see langword="null"/>: never.</value>
    public double? EagerRefresh { get; set; }

    /// <summary>Most values kept in memory; beyond it those used least recently go.</summary>
    /// <value>From 1 to 100,000,000; default 100,000 values.</value>
    public int MaxEntries { get; set; } = 100_000;

    /// <summary>The longest key. A longer one is not kept: the read goes to its factory.</summary>
    /// <value>From 1 to 65,536; default 1,024 characters.</value>
    public int MaximumKeyLength { get; set; } = 1024;

    /// <summary>The largest value, serialized, that goes to the distributed cache.</summary>
    /// <value>From 1 byte to 1 GiB; default 1 MiB.</value>
    public int MaximumPayloadBytes { get; set; } = 1024 * 1024;

    /// <summary>How long the distributed cache may take to answer; then the read goes on without it.</summary>
    /// <value>From 1 ms to 1 day; default 1 s. While it fails it is left alone (a circuit breaker of its own).</value>
    public TimeSpan DistributedTimeout { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Most factories of different keys that run at a time; a read that finds no place waits, under its timeouts.</summary>
    /// <value>From 1 to 1,000,000; default <see langword="null"/>: any number.</value>
    public int? MaxConcurrentFactories { get; set; }

    /// <summary>Which keys there can be: a key for which this is false has no value, and no factory is asked. Guards against crafted keys that no data can exist for.</summary>
    /// <value>Default <see langword="null"/>: any. Must be quick and thread-safe. When it throws, the key is let through and that is logged.</value>
    public Func<string, bool>? KeyFilter { get; set; }

    object ICopiedOptions.Copy() => MemberwiseClone();
}
