namespace ResilientHost.Benchmarks.Charts;

/// <summary>The palette of all charts: dark enough to read on white, and apart from each other without hue, too.</summary>
internal static class ChartColors
{
    public const string Ink = "#334155";
    public const string Strong = "#0f172a";
    public const string Muted = "#64748b";
    public const string Grid = "#94a3b8";
    public const string Area = "#dbe4ee";
    public const string First = "#c2410c";
    public const string Second = "#0e7490";
    public const string Third = "#6d28d9";
    private const string Fourth = "#4d7c0f";
    private const string Fifth = "#be185d";

    private static readonly string[] Series = [First, Second, Third, Fourth, Fifth];

    public static string Of(int series) => Series[series % Series.Length];
}
