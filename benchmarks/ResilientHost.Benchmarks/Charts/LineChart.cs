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
    private const int Top = 104;
    private const int FieldHeight = 320;
    private const int Height = Top + FieldHeight + 56;
    private const int LabelHeight = 17;
    private const double LabelWidth = 6.6;

    // More than these run into each other; lines of that many points need no dots.
    private const int MostDots = 40;

    /// <summary>The horizontal axis; <see langword="null"/>: linear, from the least to the greatest X.</summary>
    public ChartAxis? Across { get; init; }

    /// <summary>The vertical axis; <see langword="null"/>: linear, from zero.</summary>
    public ChartAxis? Up { get; init; }

    /// <returns>The drawing as SVG.</returns>
    public string Draw(params IReadOnlyList<ChartSeries> series)
    {
        var points = series.SelectMany(line => line.Points).ToList();
        var right = 16 + (int)(LabelWidth * series.Max(line => line.Name.Length));
        SvgCanvas canvas = new(Height, Title, Subtitle);
        ChartPanel panel = new(
            canvas,
            Top,
            FieldHeight,
            Across ?? ChartAxis.Between(points.Min(point => point.X), points.Max(point => point.X), parts: 6),
            Up ?? ChartAxis.FromZero(points.Max(point => point.Y)),
            right);
        panel.Axes(Unit);
        for (var index = 0; index < series.Count; index++)
        {
            panel.Line(series[index].Points, ChartColors.Of(index), 2);
            if (series[index].Points.Count <= MostDots)
            {
                panel.Dots(series[index].Points, ChartColors.Of(index));
            }
        }

        Labels(canvas, panel, series);
        canvas.Caption(Caption);
        return canvas.ToString();
    }

    // From the highest down, each at least a line below the one before; what would fall out of the field below pushes the others up again.
    private static void Labels(SvgCanvas canvas, ChartPanel panel, IReadOnlyList<ChartSeries> series)
    {
        var labels = series
            .Select((line, index) => (line.Name, Color: ChartColors.Of(index), X: panel.XOf(line.Points[^1].X), Y: panel.YOf(line.Points[^1].Y)))
            .OrderBy(label => label.Y)
            .ToArray();
        var lowest = (double)Top + FieldHeight - ((labels.Length - 1) * LabelHeight);
        var free = double.NegativeInfinity;
        for (var index = 0; index < labels.Length; index++, lowest += LabelHeight)
        {
            var y = Math.Max(Math.Min(labels[index].Y, lowest), free);
            free = y + LabelHeight;
            canvas.Text(labels[index].X + 9, y + 4, labels[index].Name, $"font-weight=\"600\" fill=\"{labels[index].Color}\"");
        }
    }
}
