namespace ResilientHost.Benchmarks.Charts;

/// <summary>Lines that are counted in the same unit.</summary>
/// <param name="Unit">What the vertical axis counts.</param>
/// <param name="Series">The lines; one without points is left out.</param>
internal sealed record ChartField(string Unit, IReadOnlyList<ChartSeries> Series)
{
    /// <summary>The vertical axis; <see langword="null"/>: linear, from zero.</summary>
    public ChartAxis? Up { get; init; }
}

/// <summary>Fields below each other over the same horizontal axis; each line has its name at its end.</summary>
/// <param name="Title">What it shows.</param>
/// <param name="Subtitle">How to read it, in a sentence.</param>
/// <param name="Caption">What the horizontal axis counts.</param>
internal sealed record FieldChart(string Title, string Subtitle, string Caption)
{
    private const int Top = 104;
    private const int Gap = 64;
    private const int LabelHeight = 17;
    private const double LabelWidth = 8.4;

    // More than these run into each other; lines of that many points need no dots.
    private const int MostDots = 40;

    /// <summary>The horizontal axis; <see langword="null"/>: linear, from the least to the greatest X.</summary>
    public ChartAxis? Across { get; init; }

    public int FieldHeight { get; init; } = 200;

    /// <returns>The drawing as SVG.</returns>
    public string Draw(params IReadOnlyList<ChartField> fields)
    {
        var drawn = fields.Select(field => field with { Series = [.. field.Series.Where(line => line.Points.Count > 0)] }).Where(field => field.Series.Count > 0).ToList();
        var xs = drawn.SelectMany(field => field.Series).SelectMany(line => line.Points).Select(point => point.X).ToList();
        var across = Across ?? ChartAxis.Between(xs.Min(), xs.Max(), parts: 6);
        var right = 18 + (int)(LabelWidth * drawn.SelectMany(field => field.Series).Max(line => line.Name.Length));
        SvgCanvas canvas = new(Top + (drawn.Count * (FieldHeight + Gap)) - 4, Title, Subtitle);
        for (var place = 0; place < drawn.Count; place++)
        {
            Draw(canvas, drawn[place], across, Top + (place * (FieldHeight + Gap)), right);
        }

        canvas.Caption(Caption);
        return canvas.ToString();
    }

    private void Draw(SvgCanvas canvas, ChartField field, ChartAxis across, double y, int right)
    {
        ChartPanel panel = new(canvas, y, FieldHeight, across, field.Up ?? ChartAxis.FromZero(field.Series.SelectMany(line => line.Points).Max(point => point.Y)), right);
        panel.Axes(field.Unit);
        for (var index = 0; index < field.Series.Count; index++)
        {
            panel.Line(field.Series[index].Points, ChartColors.Of(index), 2);
            if (field.Series[index].Points.Count <= MostDots)
            {
                panel.Dots(field.Series[index].Points, ChartColors.Of(index));
            }
        }

        Labels(canvas, panel, field.Series, y + FieldHeight);
    }

    // From the highest down, each at least a line below the one before; what would fall out of the field below pushes the others up again.
    private static void Labels(SvgCanvas canvas, ChartPanel panel, IReadOnlyList<ChartSeries> series, double bottom)
    {
        var labels = series
            .Select((line, index) => (line.Name, Color: ChartColors.Of(index), X: panel.XOf(line.Points[^1].X), Y: panel.YOf(line.Points[^1].Y)))
            .OrderBy(label => label.Y)
            .ToArray();
        var lowest = bottom - ((labels.Length - 1) * LabelHeight);
        var free = double.NegativeInfinity;
        foreach (var (name, color, x, at) in labels)
        {
            var y = Math.Max(Math.Min(at, lowest), free);
            free = y + LabelHeight;
            lowest += LabelHeight;
            canvas.Text(x + 9, y + 4, name, $"font-weight=\"600\" fill=\"{color}\"");
        }
    }
}
