using ResilientHost.Benchmarks.Ratios;

namespace ResilientHost.Benchmarks.Http;

/// <summary>What a mode did, and how that compares.</summary>
/// <param name="Mode">Its name.</param>
/// <param name="Against">The mode that it is compared with.</param>
/// <param name="RequestsPerSecond">Median of the slices.</param>
/// <param name="Ratio">Requests per second through those of the other mode, paired by round; <see langword="null"/> where too few rounds were undisturbed.</param>
/// <param name="CpuMicroseconds">CPU of the server for each request, median of the slices.</param>
/// <param name="CpuRatio">CPU for each request through that of the other mode, paired by round.</param>
/// <param name="CpuRatioByLaunch">The same for each time that the servers were started.</param>
/// <param name="P50">Median latency in milliseconds, median of the slices.</param>
/// <param name="P99">99th percentile in milliseconds, median of the slices.</param>
/// <param name="NonSuccessShare">Share of answers that are neither 2xx nor 3xx.</param>
/// <param name="Kept">Slices that count.</param>
/// <param name="Dropped">Slices that others disturbed.</param>
internal sealed record HttpRow(
    string Mode,
    string Against,
    double RequestsPerSecond,
    PairedRatio? Ratio,
    double CpuMicroseconds,
    PairedRatio? CpuRatio,
    IReadOnlyList<double> CpuRatioByLaunch,
    double P50,
    double P99,
    double NonSuccessShare,
    int Kept,
    int Dropped)
{
    /// <returns>The row; <see langword="null"/> where no slice of the mode was undisturbed.</returns>
    public static HttpRow? Of(ServerMode mode, IReadOnlyDictionary<ServerMode, LoadSlices> all, int fewestPairs)
    {
        var slices = all[mode];
        if (slices.KeptCount == 0)
        {
            return null;
        }

        var launches = slices.PairedWith(all[ServerModes.Named(mode.Against)]);
        var pairs = launches.SelectMany(launch => launch).ToList();
        var isEnough = pairs.Count >= fewestPairs;
        return new HttpRow(
            mode.Name,
            mode.Against,
            Median(slice => slice.Report.RequestsPerSecond),
            isEnough ? Rounded(PairedRatio.Of(pairs.Select(pair => pair.Ours.Report.RequestsPerSecond / pair.Theirs.Report.RequestsPerSecond))) : null,
            Median(slice => slice.CpuMicroseconds),
            isEnough ? Rounded(PairedRatio.Of(pairs.Select(pair => pair.Ours.CpuMicroseconds / pair.Theirs.CpuMicroseconds))) : null,
            [.. launches.Select(launch => Report.Significant(PairedRatio.MedianOf(launch.Select(pair => pair.Ours.CpuMicroseconds / pair.Theirs.CpuMicroseconds))))],
            Median(slice => slice.Report.P50),
            Median(slice => slice.Report.P99),
            slices.Kept.Sum(slice => slice.Report.Failures) / (double)slices.Kept.Sum(slice => slice.Report.Requests),
            slices.KeptCount,
            slices.Dropped);

        double Median(Func<LoadSlice, double> figure) => Report.Significant(PairedRatio.MedianOf(slices.Kept.Select(figure)));
    }

    private static PairedRatio Rounded(PairedRatio ratio) => new(Report.Significant(ratio.Median), Report.Significant(ratio.Low), Report.Significant(ratio.High));
}
