namespace ResilientHost.Benchmarks.Charts;

/// <summary>A line of a chart.</summary>
/// <param name="Name">What it is, written at its end.</param>
/// <param name="Points">Its points, from left to right.</param>
internal sealed record ChartSeries(string Name, IReadOnlyList<(double X, double Y)> Points);

/// <summary>One field with a few lines, each of which has its name at its end.</summary>
/// <param name="Title">What it shows.</param>
/// <param name="Subtitle">How to read it, in a sentence.</param>
/// <param name="Unit">What the vertical axis counts.</param>
/// <param name="Caption">What the horizontal axis counts.</param>
internal sealed record LineChart(string Title, string Subtitle, string Unit, string Caption)
{
    /// <summary>The horizontal axis; <see langword="null"/>: linear, from the least to the greatest X.</summary>
    public ChartAxis? Across { get; init; }

    /// <summary>The vertical axis; <see langword="null"/>: linear, from zero.</summary>
    public ChartAxis? Up { get; init; }

    /// <returns>The drawing as SVG.</returns>
    public string Draw(params IReadOnlyList<ChartSeries> series) =>
        new FieldChart(Title, Subtitle, Caption) { Across = Across, FieldHeight = 320 }.Draw(new ChartField(Unit, series) { Up = Up });
}
