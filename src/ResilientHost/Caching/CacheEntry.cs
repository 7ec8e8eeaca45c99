namespace ResilientHost.Caching;

/// <summary>What is kept of one key. Immutable but for when its factory may be asked again; thread-safe.</summary>
internal abstract class CacheEntry
{
    private long _retryAt = long.MinValue;
    private int _isRefreshing;

    /// <summary>The stamp at which the value began to be made: what was invalidated since then is not in it.</summary>
    public required long Began { get; init; }

    /// <summary>Since when it is fresh, as a timestamp; of a value that another process made, before this one's start perhaps.</summary>
    public required long CreatedAt { get; init; }

    /// <summary>The end of its freshness.</summary>
    public required long FreshUntil { get; init; }

    /// <summary>The end of its freshness in this process; then the distributed cache is asked.</summary>
    public required long LocalFreshUntil { get; init; }

    public required CacheTag[] Tags { get; init; }

    /// <summary>Whether it is kept that there is no value.</summary>
    public abstract bool IsNull { get; }

    public bool IsFresh(long now) => now < LocalFreshUntil;

    /// <summary>Whether it may still be given out when the factory fails. That there is no value is never given out late: there may be one by now.</summary>
    public bool IsUsable(long now, long staleTicks) => now < FreshUntil || (now - FreshUntil < staleTicks && !IsNull);

    /// <summary>Whether a stale value is given out without asking the factory: that failed a short time ago, or is being waited for by nobody.</summary>
    public bool IsLeftAlone(long now) => now < Volatile.Read(ref _retryAt);

    /// <summary>From now on readers do not wait for the factory that runs.</summary>
    public void LeaveAlone() => Volatile.Write(ref _retryAt, long.MaxValue);

    public bool IsEagerlyDue(long now, double share) => now - CreatedAt >= (FreshUntil - CreatedAt) * share && !IsLeftAlone(now) && Volatile.Read(ref _isRefreshing) == 0;

    /// <summary>Whether the caller is the one to refresh it.</summary>
    public bool TryBeginRefresh() => Interlocked.Exchange(ref _isRefreshing, 1) == 0;

    /// <param name="retryAt">When the factory may be asked again.</param>
    public void EndRefresh(long retryAt)
    {
        Volatile.Write(ref _retryAt, retryAt);
        Volatile.Write(ref _isRefreshing, 0);
    }
}

/// <summary>As <see cref="CacheEntry"/>, of one type.</summary>
internal sealed class CacheEntry<T> : CacheEntry
{
    private readonly CacheCodec<T> _codec;
    private readonly T? _value;
    private readonly byte[]? _payload;

    /// <param name="codec">Whether readers may share the value, and how each gets a copy otherwise.</param>
    /// <param name="value">The value; <see langword="null"/>: there is none.</param>
    /// <param name="payload">The value's bytes; needed if it cannot be shared.</param>
    public CacheEntry(CacheCodec<T> codec, T? value, byte[]? payload)
    {
        _codec = codec;
        IsNull = value is null;
        if (codec.IsShared || IsNull)
        {
            _value = value;
        }
        else
        {
            _payload = payload ?? throw new ArgumentNullException(nameof(payload));
        }
    }

    public override bool IsNull { get; }

    /// <summary>The value, a reader's own copy where it could be changed.</summary>
    public T? Read() => _payload is null ? _value : _codec.Deserialize(_payload);
}
