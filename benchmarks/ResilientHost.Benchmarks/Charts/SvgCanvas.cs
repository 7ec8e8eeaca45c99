using System.Globalization;
using System.Security;
using System.Text;

namespace ResilientHost.Benchmarks.Charts;

/// <summary>A drawing in the house style, as text: white ground, one font, coordinates to a tenth of a pixel.</summary>
internal sealed class SvgCanvas
{
    public const int Width = 960;
    public const int Left = 64;
    public const int Right = 24;
    private readonly StringBuilder _svg = new();
    private readonly int _height;

    public SvgCanvas(int height, string title, string subtitle)
    {
        _height = height;
        Add($"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {Width} {height}" font-family="system-ui, -apple-system, 'Segoe UI', sans-serif" font-size="13" fill="{ChartColors.Ink}">""");
        Add($"""<rect width="{Width}" height="{height}" fill="#ffffff"/>""");
        Text(Left, 34, title, $"font-size=\"19\" font-weight=\"600\" fill=\"{ChartColors.Strong}\"");
        Text(Left, 56, subtitle, $"fill=\"{ChartColors.Muted}\"");
    }

    /// <param name="x">Where it begins, or what <paramref name="attributes"/> anchor it by.</param>
    /// <param name="y">The line it stands on.</param>
    /// <param name="text">Plain text; escaped here.</param>
    /// <param name="attributes">More attributes of the element.</param>
    public void Text(double x, double y, string text, string attributes = "") =>
        Add($"""<text x="{x:0.#}" y="{y:0.#}" {attributes}>{SecurityElement.Escape(text)}</text>""");

    /// <summary>What the horizontal axis of the lowest panel counts.</summary>
    public void Caption(string text) => Text((Left + Width - Right) / 2, _height - 16, text, $"text-anchor=\"middle\" fill=\"{ChartColors.Muted}\"");

    public void Level(double left, double right, double y, double opacity) =>
        Add($"""<line x1="{left:0.#}" x2="{right:0.#}" y1="{y:0.#}" y2="{y:0.#}" stroke="{ChartColors.Grid}" stroke-opacity="{opacity}"/>""");

    public void Area(double x, double y, double width, double height, string color) =>
        Add($"""<rect x="{x:0.#}" y="{y:0.#}" width="{width:0.#}" height="{height:0.#}" fill="{color}"/>""");

    public void Swatch(double x, double y, string color) =>
        Add($"""<rect x="{x:0.#}" y="{y:0.#}" width="12" height="10" rx="2" fill="{color}"/>""");

    public void Dot(double x, double y, string color) =>
        Add($"""<circle cx="{x:0.#}" cy="{y:0.#}" r="3.5" fill="{color}"/>""");

    public void Line(IEnumerable<(double X, double Y)> points, string color, double width)
    {
        var text = string.Join(' ', points.Select(point => string.Create(CultureInfo.InvariantCulture, $"{point.X:0.#},{point.Y:0.#}")));
        Add($"""<polyline points="{text}" fill="none" stroke="{color}" stroke-width="{width}" stroke-linejoin="round"/>""");
    }

    /// <summary>The whole drawing.</summary>
    public override string ToString() => $"{_svg}</svg>\n";

    private void Add(FormattableString element) => _svg.Append(element.ToString(CultureInfo.InvariantCulture)).Append('\n');
}
