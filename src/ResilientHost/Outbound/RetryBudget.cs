using ResilientHost.CircuitBreaking;
using ResilientHost.Hosting;

namespace ResilientHost.Outbound;

/// <summary>How many retries and hedged attempts a dependency may get: a share of the calls of the last 10 s, and a floor for services with few calls. Thread-safe; calls take no lock.</summary>
/// <remarks>
/// <para>
/// At any moment, retries and hedged attempts of the last 10 s never exceed <see cref="RetryPolicy.Budget"/> times its calls, plus <see cref="RetryPolicy.BudgetFloor"/>. Time goes in buckets of 250 ms: a call
/// counts for at most 10 s, a retry for at least 10 s.
/// </para>
/// <para>Source: Finagle's <c>RetryBudget</c> and Envoy's retry budgets; a window instead of a balance, so that an idle night saves nothing up for a storm.</para>
/// </remarks>
internal sealed class RetryBudget(MonotonicClock clock, Func<RetryPolicy> policy)
{
    public static readonly TimeSpan Window = TimeSpan.FromSeconds(10);

    private const int BucketsInWindow = 40;

    // One more than the window has, for a retry's bucket may be ahead of now.
    private const int BucketCount = BucketsInWindow + 1;
    private const int CountBits = 32;
    private const long CountMask = (1L << CountBits) - 1;

    // The product of a ratio and a count may be a hair below the integer that it stands for.
    private const double Rounding = 1e-9;

    private readonly Lock _gate = new();
    private readonly long _origin = clock.CoarseTimestamp();
    private readonly long _bucketTicks = Math.Max(1, clock.ToTimestampTicks(Window) / BucketsInWindow);
    private long[]? _calls;
    private long[]? _spent;

    /// <summary>Retries and hedged attempts of the window.</summary>
    public long Spent
    {
        get
        {
            lock (_gate)
            {
                return Sum(_spent, BucketAt(clock.CoarseTimestamp()));
            }
        }
    }

    /// <summary>Calls of the window.</summary>
    public long Calls => Sum(Volatile.Read(ref _calls), BucketAt(clock.CoarseTimestamp()));

    /// <summary>Counts a call, once its first attempt is let through.</summary>
    public void Deposit()
    {
        var calls = Volatile.Read(ref _calls) ?? Interlocked.CompareExchange(ref _calls, new long[BucketCount], null) ?? _calls;
        var bucket = BucketAt(clock.CoarseTimestamp());
        TimeBuckets.Count(ref calls[bucket % BucketCount], bucket);
    }

    /// <summary>Takes one retry or hedged attempt; <see langword="false"/> when there is none left.</summary>
    public bool TryWithdraw()
    {
        var current = policy();
        var now = clock.CoarseTimestamp();
        var bucket = BucketAt(now);
        lock (_gate)
        {
            // A lock, for counting first would let two refuse each other the last one.
            var limit = (current.Budget * Sum(Volatile.Read(ref _calls), bucket)) + current.BudgetFloor + Rounding;
            if (Sum(_spent, bucket) + 1 > limit)
            {
                return false;
            }

            // Counted in the bucket that begins next: it leaves the window 10 s from now or later, never earlier.
            _spent ??= new long[BucketCount];
            var next = BucketAt(now + _bucketTicks - 1);
            TimeBuckets.Count(ref _spent[next % BucketCount], next);
            return true;
        }
    }

    /// <summary>Gives back what was taken for an attempt that was then not made.</summary>
    public void Return()
    {
        var newest = BucketAt(clock.CoarseTimestamp()) + 1;
        lock (_gate)
        {
            // Any of them will do, the newest for choice: it counts for longest.
            for (var bucket = newest; _spent is not null && bucket >= Math.Max(0, newest - BucketsInWindow); bucket--)
            {
                ref var word = ref _spent[bucket % BucketCount];
                if (word >> CountBits == bucket && (word & CountMask) > 0)
                {
                    word--;
                    return;
                }
            }
        }
    }

    /// <summary>What the words hold of the window that ends in <paramref name="bucket"/>.</summary>
    private static long Sum(long[]? words, long bucket)
    {
        var sum = 0L;
        for (var i = 0; words is not null && i < words.Length; i++)
        {
            var word = Volatile.Read(ref words[i]);

            // Below zero: of a retry, or of a call whose clock was read a little later than ours.
            sum += bucket - (word >> CountBits) < BucketsInWindow ? word & CountMask : 0;
        }

        return sum;
    }

    private long BucketAt(long timestamp) => Math.Max(timestamp - _origin, 0) / _bucketTicks;
}
