using System.Runtime.CompilerServices;

using ResilientHost.Hosting;

namespace ResilientHost.CircuitBreaking;

/// <summary>All that a <see cref="TimeWindow"/> with traffic counts.</summary>
/// <remarks>
/// Calls are counted in one set of words until threads meet there again and again; from then on each core has its own, a few cache lines
/// apart (the idea of Doug Lea's Striped64). Once in a while is not enough: those words are kept as long as the window, and a keyed breaker
/// has a window for each key. Failures and slow calls are rare and have one set, made on first use.
/// </remarks>
internal sealed class TimeWindowCounts
{
    /// <summary>With so many lost swaps in one bucket each core gets words of its own: fewer may be chance.</summary>
    public const int LostBeforeStripes = 32;

    // 256 bytes: the 80 in use of two neighbours never share a line of 64, nor a pair of lines, however the array lies; and a shift finds them.
    private const int StripeLength = 32;

    // Nothing is counted beside the array's length, which every core reads before each count.
    private const int FirstStripe = 16;

    private TimeBuckets _calls;
    private long[]? _stripes;
    private TimeWindowTrouble? _trouble;
    private long _bucket;
    private int _lost;

    /// <summary>Whether each core has words of its own.</summary>
    public bool IsStriped => Volatile.Read(ref _stripes) is not null;

    /// <summary>The part that a healthy circuit never needs; <see langword="null"/> until there is trouble.</summary>
    public TimeWindowTrouble? Trouble => Volatile.Read(ref _trouble);

    public TimeWindowTrouble MakeTrouble()
    {
        if (Trouble is { } known)
        {
            return known;
        }

        var made = new TimeWindowTrouble();
        return Interlocked.CompareExchange(ref _trouble, made, null) ?? made;
    }

    /// <summary>As <see cref="TimeBuckets.At"/>, without its division as long as the bucket is the one of the call before.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public long BucketAt(CircuitPolicy policy, long age)
    {
        // Exact whatever stands there: a number that is not the moment's does not fit. Written once for each bucket, as every core reads it.
        var bucket = Volatile.Read(ref _bucket);
        return (ulong)((age * TimeWindow.BucketCount) - (bucket * policy.SamplingTicks)) < (ulong)policy.SamplingTicks ? bucket : Turn(policy, age);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Count(long bucket)
    {
        if (_stripes is { } stripes)
        {
            CountInStripe(stripes, bucket);
        }
        else if (!TimeBuckets.TryCount(ref _calls[PlaceOf(bucket)], bucket))
        {
            CountContended(bucket);
        }
    }

    public WindowCounts Sum(long bucket)
    {
        var trouble = Trouble;
        var failures = trouble?.Failures(bucket) ?? 0;
        var slow = trouble?.SlowCalls(bucket) ?? 0;
        var calls = TimeBuckets.Sum(_calls, bucket);
        if (Volatile.Read(ref _stripes) is { } stripes)
        {
            for (var start = FirstStripe; start < stripes.Length; start += StripeLength)
            {
                calls += TimeBuckets.Sum(stripes.AsSpan(start, TimeWindow.BucketCount), bucket);
            }
        }

        return new WindowCounts(calls, failures, slow);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private long Turn(CircuitPolicy policy, long age)
    {
        var bucket = TimeBuckets.At(policy, age);
        Volatile.Write(ref _bucket, bucket);
        Volatile.Write(ref _lost, 0);
        return bucket;
    }

    /// <summary>Counts a call for which a swap was lost to another thread.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public void CountContended(long bucket)
    {
        if (_stripes is null && Interlocked.Increment(ref _lost) >= LostBeforeStripes && Environment.ProcessorCount > 1)
        {
            Interlocked.CompareExchange(ref _stripes, new long[FirstStripe + (NearbyProcessor.Places * StripeLength)], null);
        }

        if (_stripes is { } stripes)
        {
            // Another thread was at this one's words: one of the two has moved to another core.
            NearbyProcessor.Renew();
            TimeBuckets.Count(ref WordOfThisCore(stripes, bucket), bucket);
        }
        else
        {
            TimeBuckets.Count(ref _calls[PlaceOf(bucket)], bucket);
        }
    }

    // By itself: where the compiler has seen no stripes while it learned, it takes the way to them for a cold one, and lets it look for the thread's memory by a call.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void CountInStripe(long[] stripes, long bucket)
    {
        if (!TimeBuckets.TryCount(ref WordOfThisCore(stripes, bucket), bucket))
        {
            CountContended(bucket);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ref long WordOfThisCore(long[] stripes, long bucket) => ref stripes[FirstStripe + (NearbyProcessor.LastPlace * StripeLength) + PlaceOf(bucket)];

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int PlaceOf(long bucket) => (int)((ulong)bucket % TimeWindow.BucketCount);
}
