namespace ResilientHost.Benchmarks.Http;

/// <summary>The median of ratios, and where the median of all such ratios lies with 95 % confidence.</summary>
/// <param name="Median">The median.</param>
/// <param name="Low">Lower end of the interval.</param>
/// <param name="High">Upper end of the interval.</param>
internal sealed record PairedRatio(double Median, double Low, double High)
{
    private const double BothTails = 0.05;

    /// <remarks>
    /// The interval is made of ranks (the sign test's: how many of n ratios lie below their median is a matter of tossing n coins), so it asks
    /// nothing of how they are distributed. Fewer than six cannot give that confidence; then it is the lowest and the highest.
    /// </remarks>
    /// <param name="ratios">At least one.</param>
    public static PairedRatio Of(IEnumerable<double> ratios)
    {
        var sorted = ratios.Order().ToArray();
        var rank = LowerRank(sorted.Length);
        return new PairedRatio(MedianOf(sorted), sorted[rank], sorted[^(rank + 1)]);
    }

    public static double MedianOf(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        var middle = sorted.Length / 2;
        return sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    // The highest rank that so few coins would fall below that it happens in 2.5 % of tosses.
    private static int LowerRank(int count)
    {
        var chance = Math.Pow(0.5, count);
        var below = chance;
        var rank = 0;
        for (var heads = 1; heads <= count && 2 * below <= BothTails; heads++)
        {
            rank = heads;
            chance *= (count - heads + 1) / (double)heads;
            below += chance;
        }

        return Math.Max(0, rank - 1);
    }
}
