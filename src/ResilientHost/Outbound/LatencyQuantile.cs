using System.Numerics;

namespace ResilientHost.Outbound;

/// <summary>Quantiles of the latest latencies: the last 1,024, each known to an eighth of its size. Thread-safe, without locks; nothing is allocated after the first.</summary>
/// <remarks>
/// A ring of one byte for each latency (its bucket), and how many there are in each bucket. Buckets are linear within powers of two, as in G. Tene's HdrHistogram: 8 for each, from 1 µs to 4 hours.
/// Who records while another one reads may be seen half: off by one of a thousand, for that moment.
/// </remarks>
internal sealed class LatencyQuantile
{
    /// <summary>Latencies that are kept.</summary>
    public const int Kept = 1024;

    /// <summary>Fewer than these tell nothing.</summary>
    public const int Minimum = 20;

    private const int SubBucketBits = 3;
    private const int SubBuckets = 1 << SubBucketBits;
    private const int Buckets = 255;

    private Samples? _samples;

    /// <summary>Adds the latency of an attempt that was answered. Negative counts as none.</summary>
    public void Record(TimeSpan latency)
    {
        var samples = Volatile.Read(ref _samples) ?? Interlocked.CompareExchange(ref _samples, new Samples(), null) ?? _samples;
        samples.Add(BucketOf(latency));
    }

    /// <summary>The latency that this share of the latest ones did not exceed, rounded up to its bucket's end.</summary>
    /// <param name="quantile">From 0 to 1.</param>
    /// <returns><see langword="null"/> while fewer than <see cref="Minimum"/> are known.</returns>
    public TimeSpan? Quantile(double quantile)
    {
        var samples = Volatile.Read(ref _samples);
        if (samples is null || samples.Count < Minimum)
        {
            return null;
        }

        // From the top: quantiles of interest are high.
        var above = samples.Count - Math.Max(1, (long)Math.Ceiling(quantile * samples.Count));
        var bucket = Buckets - 1;
        while (bucket > 0 && (above -= samples.In(bucket)) >= 0)
        {
            bucket--;
        }

        return EndOf(bucket);
    }

    private static int BucketOf(TimeSpan latency)
    {
        var micros = (ulong)Math.Max(0, latency.Ticks / TimeSpan.TicksPerMicrosecond);
        if (micros < SubBuckets)
        {
            return (int)micros;
        }

        var power = BitOperations.Log2(micros);
        var within = (int)(micros >> (power - SubBucketBits)) & (SubBuckets - 1);
        return Math.Min(((power - SubBucketBits + 1) << SubBucketBits) + within, Buckets - 1);
    }

    private static TimeSpan EndOf(int bucket)
    {
        if (bucket < SubBuckets)
        {
            return TimeSpan.FromMicroseconds(bucket + 1);
        }

        var shift = (bucket >> SubBucketBits) - 1;
        return TimeSpan.FromMicroseconds((long)(SubBuckets + (bucket & (SubBuckets - 1)) + 1) << shift);
    }

    private sealed class Samples
    {
        // A bucket's number and one; 0 is a place that nothing was written to.
        private readonly byte[] _ring = new byte[Kept];
        private readonly int[] _counts = new int[Buckets];
        private long _recorded;

        public long Count => Math.Min(Interlocked.Read(ref _recorded), Kept);

        public int In(int bucket) => Volatile.Read(ref _counts[bucket]);

        public void Add(int bucket)
        {
            var number = Interlocked.Increment(ref _recorded) - 1;
            var evicted = Interlocked.Exchange(ref _ring[number % Kept], (byte)(bucket + 1));
            if (evicted == bucket + 1)
            {
                return;
            }

            Interlocked.Increment(ref _counts[bucket]);
            if (evicted != 0)
            {
                Interlocked.Decrement(ref _counts[evicted - 1]);
            }
        }
    }
}
