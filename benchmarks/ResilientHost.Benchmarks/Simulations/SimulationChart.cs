using System.Globalization;
using System.Text;

namespace ResilientHost.Benchmarks.Simulations;

/// <summary>Draws a scenario: limit, calls in flight and servers for each algorithm, and below the goodput of both.</summary>
internal static class SimulationChart
{
    private const int Width = 960;
    private const int Left = 64;
    private const int Right = 24;
    private const int PanelHeight = 200;
    private const int PanelGap = 56;
    private const int FirstPanel = 96;
    private const string LimitColor = "#c2410c";
    private const string InFlightColor = "#0e7490";
    private const string CapacityColor = "#dbe4ee";
    private const string GradientColor = "#6d28d9";

    public static string Draw(Scenario scenario, SimulatedRun aimd, SimulatedRun gradient)
    {
        var top = Nice(Math.Max(aimd.HighestLimit(0, scenario.Seconds), gradient.HighestLimit(0, scenario.Seconds)));
        var height = FirstPanel + (3 * PanelHeight) + (3 * PanelGap);
        StringBuilder svg = new();
        svg.Append(Invariant($"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {Width} {height}" font-family="system-ui, -apple-system, 'Segoe UI', sans-serif" font-size="13" fill="#334155">""")).Append('\n');
        svg.Append(Invariant($"""<rect width="{Width}" height="{height}" fill="#ffffff"/>""")).Append('\n');
        Text(svg, Left, 34, scenario.Title, "font-size=\"19\" font-weight=\"600\" fill=\"#0f172a\"");
        Text(svg, Left, 56, Invariant($"{scenario.ArrivalsPerSecond:N0} calls a second arrive, whatever happens; the bulkhead refuses what is beyond its limit."), "fill=\"#64748b\"");

        Panel first = new(FirstPanel, top, scenario.Seconds);
        Panel second = new(FirstPanel + PanelHeight + PanelGap, top, scenario.Seconds);
        Panel third = new(FirstPanel + (2 * (PanelHeight + PanelGap)), Nice(scenario.Phases.Max(phase => scenario.Best(phase.From)) * 1.05), scenario.Seconds);
        Limits(svg, first, "Aimd: calls", aimd);
        Limits(svg, second, "Gradient2: calls", gradient);
        Goodputs(svg, third, scenario, aimd, gradient);
        Text(svg, (Left + Width - Right) / 2, height - 16, "seconds", "text-anchor=\"middle\" fill=\"#64748b\"");
        return svg.Append("</svg>\n").ToString();
    }

    private static void Limits(StringBuilder svg, Panel panel, string title, SimulatedRun run)
    {
        Area(svg, panel, run.Scenario, seconds => run.Scenario.At(seconds).Servers);
        Axes(svg, panel, title);
        Line(svg, panel, run.Samples.Select(sample => (sample.Seconds, (double)sample.InFlight)), InFlightColor, 1);
        Line(svg, panel, run.Samples.Select(sample => (sample.Seconds, (double)sample.Limit)), LimitColor, 2);
        Legend(svg, panel, [("limit", LimitColor), ("in flight", InFlightColor), ("servers", CapacityColor)]);
    }

    private static void Goodputs(StringBuilder svg, Panel panel, Scenario scenario, SimulatedRun aimd, SimulatedRun gradient)
    {
        Area(svg, panel, scenario, scenario.Best);
        Axes(svg, panel, "Useful answers a second");
        Line(svg, panel, Smooth(aimd), LimitColor, 1.5);
        Line(svg, panel, Smooth(gradient), GradientColor, 1.5);
        Legend(svg, panel, [("Aimd", LimitColor), ("Gradient2", GradientColor), ("best possible", CapacityColor)]);
    }

    // Two seconds together, for half a second of random arrivals is mostly noise.
    private static IEnumerable<(double Seconds, double Value)> Smooth(SimulatedRun run) =>
        run.Samples.Skip(3).Select((sample, i) => (sample.Seconds, run.Samples.Skip(i).Take(4).Average(one => one.Goodput)));

    private static void Axes(StringBuilder svg, Panel panel, string title)
    {
        Text(svg, Left, panel.Y - 10, title, "font-weight=\"600\" fill=\"#0f172a\"");
        for (var part = 0; part <= 4; part++)
        {
            var value = panel.Top * part / 4;
            svg.Append(Invariant($"""<line x1="{Left}" x2="{Width - Right}" y1="{panel.YOf(value):0.#}" y2="{panel.YOf(value):0.#}" stroke="#94a3b8" stroke-opacity="{(part == 0 ? 1 : 0.3)}"/>""")).Append('\n');
            Text(svg, Left - 8, panel.YOf(value) + 4, Invariant($"{value:#,0.#}"), "text-anchor=\"end\" fill=\"#64748b\"");
        }

        for (var part = 0; part <= 6; part++)
        {
            var seconds = panel.Seconds * part / 6;
            Text(svg, panel.XOf(seconds), panel.Y + PanelHeight + 18, Invariant($"{seconds:0}"), "text-anchor=\"middle\" fill=\"#64748b\"");
        }
    }

    private static void Legend(StringBuilder svg, Panel panel, (string Name, string Color)[] entries)
    {
        var x = Width - Right;
        foreach (var (name, color) in entries.Reverse())
        {
            x -= 26 + (7 * name.Length);
            svg.Append(Invariant($"""<rect x="{x}" y="{panel.Y - 19}" width="12" height="10" rx="2" fill="{color}"/>""")).Append('\n');
            Text(svg, x + 16, panel.Y - 10, name, string.Empty);
        }
    }

    private static void Area(StringBuilder svg, Panel panel, Scenario scenario, Func<double, double> value)
    {
        for (var i = 0; i < scenario.Phases.Count; i++)
        {
            var from = scenario.Phases[i].From;
            var to = i + 1 < scenario.Phases.Count ? scenario.Phases[i + 1].From : scenario.Seconds;
            var y = panel.YOf(value(from));
            svg.Append(Invariant($"""<rect x="{panel.XOf(from):0.#}" y="{y:0.#}" width="{panel.XOf(to) - panel.XOf(from):0.#}" height="{panel.Y + PanelHeight - y:0.#}" fill="{CapacityColor}"/>""")).Append('\n');
        }
    }

    private static void Line(StringBuilder svg, Panel panel, IEnumerable<(double Seconds, double Value)> points, string color, double width)
    {
        var all = points.ToList();

        // About two pixels a point: more cannot be seen.
        var step = Math.Max(1, all.Count / 400);
        var text = string.Join(' ', all.Where((_, i) => i % step == 0).Select(point => Invariant($"{panel.XOf(point.Seconds):0.#},{panel.YOf(Math.Min(point.Value, panel.Top)):0.#}")));
        svg.Append(Invariant($"""<polyline points="{text}" fill="none" stroke="{color}" stroke-width="{width}" stroke-linejoin="round"/>""")).Append('\n');
    }

    private static void Text(StringBuilder svg, double x, double y, string text, string attributes) =>
        svg.Append(Invariant($"""<text x="{x:0.#}" y="{y:0.#}" {attributes}>{text}</text>""")).Append('\n');

    private static double Nice(double value)
    {
        var unit = Math.Pow(10, Math.Floor(Math.Log10(value)));
        return unit * new[] { 1, 1.2, 1.6, 2, 2.4, 3.2, 4, 6, 8, 10 }.First(step => step * unit >= value);
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private sealed record Panel(double Y, double Top, double Seconds)
    {
        public double XOf(double seconds) => Left + ((Width - Left - Right) * seconds / Seconds);

        public double YOf(double value) => Y + PanelHeight - (PanelHeight * value / Top);
    }
}
