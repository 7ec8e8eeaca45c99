using System.Runtime.CompilerServices;

namespace ResilientHost.CircuitBreaking;

/// <summary>
/// Counters of the last ten bucket numbers, one 64-bit word each: the bucket's number above, its count below. A word is
/// moved to a new bucket and counted up by the same compare-and-swap, so rotation needs no lock and reading alone expires.
/// </summary>
/// <remarks>
/// 32 bits of number repeat after 2^32 buckets (49 days of the narrowest window). A word that nobody wrote for so long is taken for
/// a current one around the bucket of the repetition, and for a newer one in the few seconds of narrow buckets before it; then its outcomes do not count. The first word of a
/// <see cref="TimeWindow"/> is never written again once others are in use: it comes back for the length of a window every 49 days of the narrowest one, every 400 years of the usual one.
/// </remarks>
[InlineArray(TimeWindow.BucketCount)]
internal struct TimeBuckets
{
    private const int CountBits = 32;
    private const long CountMask = (1L << CountBits) - 1;
    private const long NumberMask = (1L << (64 - CountBits)) - 1;

    // Clocks of two threads differ by kernel ticks or a preemption: 4 s in the narrowest buckets. More would only widen the time for which a
    // word that rested for a whole cycle takes no counts; an outcome later than this costs its word what it held.
    private const long Newer = 1L << 12;

    private long _first;

    /// <summary>The number of the bucket that a window of <paramref name="age"/> ticks is in.</summary>
    public static long At(CircuitPolicy policy, long age) => (long)((ulong)Math.Max(age, 0) * TimeWindow.BucketCount / (ulong)policy.SamplingTicks);

    /// <summary>Tries once to count one up in <paramref name="bucket"/> in the one word that there is for all buckets.</summary>
    /// <returns>False when another thread wrote the word in between, or it holds another bucket that still matters.</returns>
    public static bool TryCountAlone(ref long word, long bucket)
    {
        var seen = Volatile.Read(ref word);
        var number = bucket & NumberMask;
        if ((seen & CountMask) == 0)
        {
            return Interlocked.CompareExchange(ref word, (number << CountBits) | 1, seen) == seen;
        }

        var age = (number - (long)((ulong)seen >> CountBits)) & NumberMask;
        return age == 0 ? (seen & CountMask) != CountMask && Interlocked.CompareExchange(ref word, seen + 1, seen) == seen
            : age is >= TimeWindow.BucketCount and <= NumberMask - Newer && Interlocked.CompareExchange(ref word, (number << CountBits) | 1, seen) == seen;
    }

    /// <summary>Tries once to count one up in <paramref name="bucket"/>.</summary>
    /// <returns>False when another thread wrote the word in between.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryCount(ref long word, long bucket)
    {
        var seen = Volatile.Read(ref word);
        var number = bucket & NumberMask;
        long next;
        if ((long)((ulong)seen >> CountBits) == number)
        {
            if ((seen & CountMask) == CountMask)
            {
                return true;
            }

            next = seen + 1;
        }
        else if (IsNewer(seen, number))
        {
            // The outcome is so late that its bucket has left the window already.
            return true;
        }
        else
        {
            next = (number << CountBits) | 1;
        }

        return Interlocked.CompareExchange(ref word, next, seen) == seen;
    }

    /// <summary>Counts one up in <paramref name="bucket"/>, however often other threads get in between.</summary>
    public static void Count(ref long word, long bucket)
    {
        while (!TryCount(ref word, bucket))
        {
        }
    }

    /// <summary>What the words hold of the ten buckets up to <paramref name="bucket"/>.</summary>
    public static long Sum(ReadOnlySpan<long> words, long bucket)
    {
        var sum = 0L;
        for (var i = 0; i < words.Length; i++)
        {
            var word = Volatile.Read(in words[i]);
            var age = (bucket - (long)((ulong)word >> CountBits)) & NumberMask;

            // Ages just below zero: counted by a thread whose clock was read a little later than ours.
            if (age < TimeWindow.BucketCount || age > NumberMask - TimeWindow.BucketCount)
            {
                sum += word & CountMask;
            }
        }

        return sum;
    }

    // A word without counts was never written: its zero is no bucket number.
    private static bool IsNewer(long seen, long number) =>
        (seen & CountMask) != 0 && (((long)((ulong)seen >> CountBits) - number) & NumberMask) < Newer;
}
