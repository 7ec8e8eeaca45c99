namespace ResilientHost.Benchmarks.Charts;

/// <summary>A field of a drawing with two axes, and what can be drawn in it.</summary>
internal sealed class ChartPanel(SvgCanvas canvas, double y, double height, ChartAxis across, ChartAxis up, double right = SvgCanvas.Right)
{
    /// <summary>About two pixels a point: more cannot be seen.</summary>
    private const int MostPoints = 400;

    public double XOf(double value) => SvgCanvas.Left + ((SvgCanvas.Width - SvgCanvas.Left - right) * across.ShareOf(value));

    public double YOf(double value) => y + height - (height * up.ShareOf(value));

    /// <summary>The levels, the figures at both axes, and above all what the vertical one counts.</summary>
    public void Axes(string title)
    {
        canvas.Text(SvgCanvas.Left, y - 10, title, $"font-weight=\"600\" fill=\"{ChartColors.Strong}\"");
        foreach (var value in up.Ticks)
        {
            canvas.Level(SvgCanvas.Left, SvgCanvas.Width - right, YOf(value), value == up.Low ? 1 : 0.3);
            canvas.Text(SvgCanvas.Left - 8, YOf(value) + 4, ChartAxis.Text(value), $"text-anchor=\"end\" fill=\"{ChartColors.Muted}\"");
        }

        foreach (var value in across.Ticks)
        {
            canvas.Text(XOf(value), y + height + 18, ChartAxis.Text(value), $"text-anchor=\"middle\" fill=\"{ChartColors.Muted}\"");
        }
    }

    /// <summary>Says in the upper right corner what the colours mean.</summary>
    public void Legend(params (string Name, string Color)[] entries)
    {
        var x = SvgCanvas.Width - right;
        foreach (var (name, color) in entries.Reverse())
        {
            x -= 26 + (7 * name.Length);
            canvas.Swatch(x, y - 19, color);
            canvas.Text(x + 16, y - 10, name);
        }
    }

    /// <summary>Fills what lies below a value for a part of the way.</summary>
    public void Area(double from, double to, double value) =>
        canvas.Area(XOf(from), YOf(value), XOf(to) - XOf(from), y + height - YOf(value), ChartColors.Area);

    public void Line(IEnumerable<(double X, double Y)> points, string color, double width)
    {
        var all = points.ToList();
        var step = Math.Max(1, all.Count / MostPoints);
        canvas.Line(all.Where((_, index) => index % step == 0 || index == all.Count - 1).Select(point => (XOf(point.X), YOf(point.Y))), color, width);
    }

    public void Dots(IEnumerable<(double X, double Y)> points, string color)
    {
        foreach (var (x, value) in points)
        {
            canvas.Dot(XOf(x), YOf(value), color);
        }
    }
}
