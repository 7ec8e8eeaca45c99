namespace ResilientHost.History;

/// <summary>Buckets for durations from 1 µs to 10 minutes, each at most a twelfth wider than its lower bound: no value is off by more than 5 %.</summary>
/// <remarks>Log-linear, the idea of HdrHistogram (Gil Tene): octaves cut into equal parts. Shorter durations count as the shortest, longer ones as the longest.</remarks>
internal static class LatencyBuckets
{
    public const int Count = Octaves * Parts;

    // 2^30 µs are 18 minutes.
    private const int Octaves = 30;
    private const int Parts = 12;
    private const double Shortest = 1e-6;
    private const double Longest = 600;

    public static int Of(double seconds)
    {
        var units = Math.Clamp(seconds, Shortest, Longest) / Shortest;
        var octave = Math.ILogB(units);
        return (octave * Parts) + (int)((Math.ScaleB(units, -octave) - 1) * Parts);
    }

    /// <summary>What stands for a bucket: the middle of it.</summary>
    public static double SecondsOf(int bucket) => Math.ScaleB(1 + (((bucket % Parts) + 0.5) / Parts), bucket / Parts) * Shortest;

    /// <summary>The percentiles of weighted buckets; <see langword="null"/> without any.</summary>
    public static (double? P50, double? P90, double? P99) Percentiles<T>(ReadOnlySpan<T> weights)
        where T : struct, System.Numerics.INumberBase<T>
    {
        var total = 0d;
        foreach (var weight in weights)
        {
            total += double.CreateTruncating(weight);
        }

        if (total <= 0)
        {
            return default;
        }

        double? p50 = null, p90 = null, last = null;
        var sum = 0d;
        for (var bucket = 0; bucket < weights.Length; bucket++)
        {
            if (T.IsZero(weights[bucket]))
            {
                continue;
            }

            sum += double.CreateTruncating(weights[bucket]);
            last = Math.Round(SecondsOf(bucket), 7);
            p50 ??= sum >= 0.5 * total ? last : null;
            p90 ??= sum >= 0.9 * total ? last : null;
            if (sum >= 0.99 * total)
            {
                break;
            }
        }

        return (p50, p90, last);
    }
}
