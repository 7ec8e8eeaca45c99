using System.Globalization;
using ResilientHost.Benchmarks.Ratios;

namespace ResilientHost.Benchmarks.Http;

/// <summary>The rows for people.</summary>
internal static class HttpTable
{
    private static readonly string[] Head =
        ["mode", "against", "requests/s", "ratio", "95 %", "CPU µs/request", "CPU ratio", "95 %", "by launch", "p50 ms", "p99 ms", "not 2xx", "slices (dropped)", "bar", ""];

    public static string Of(IEnumerable<HttpRow> rows) => Report.Aligned([Head, .. rows.Select(Cells)]);

    private static string[] Cells(HttpRow row)
    {
        var isCompared = row.Mode != row.Against;
        var bar = HttpBar.For(row.Mode);
        return
        [
            row.Mode,
            isCompared ? row.Against : "",
            Text(row.RequestsPerSecond, "0"),
            isCompared ? Median(row.Ratio) : "",
            isCompared ? Interval(row.Ratio) : "",
            Text(row.CpuMicroseconds, "0.0"),
            isCompared ? Median(row.CpuRatio) : "",
            isCompared ? Interval(row.CpuRatio) : "",
            isCompared ? string.Join(' ', row.CpuRatioByLaunch.Select(ratio => Text(ratio, "0.00"))) : "",
            Text(row.P50, "0.00"),
            Text(row.P99, "0.00"),
            row.NonSuccessShare.ToString("0 %", CultureInfo.InvariantCulture),
            string.Create(CultureInfo.InvariantCulture, $"{row.Kept} ({row.Dropped})"),
            bar?.Text ?? "",
            bar is null ? "" : bar.IsHeldBy(row) ? "holds" : row.Ratio is null ? "not measured" : "OVER",
        ];
    }

    private static string Median(PairedRatio? ratio) => ratio is { } known ? Text(known.Median, "0.000") : "too few";

    private static string Interval(PairedRatio? ratio) => ratio is { } known ? $"{Text(known.Low, "0.00")}..{Text(known.High, "0.00")}" : "";

    private static string Text(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
