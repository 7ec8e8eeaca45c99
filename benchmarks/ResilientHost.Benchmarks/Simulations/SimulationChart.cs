using System.Globalization;
using ResilientHost.Benchmarks.Charts;

namespace ResilientHost.Benchmarks.Simulations;

/// <summary>Draws a scenario: limit, calls in flight and servers for each algorithm, and below the goodput of both.</summary>
internal static class SimulationChart
{
    private const int PanelHeight = 200;
    private const int PanelGap = 56;
    private const int FirstPanel = 96;

    public static string Draw(Scenario scenario, SimulatedRun aimd, SimulatedRun gradient)
    {
        SvgCanvas canvas = new(
            FirstPanel + (3 * PanelHeight) + (3 * PanelGap),
            scenario.Title,
            string.Create(CultureInfo.InvariantCulture, $"{scenario.ArrivalsPerSecond:N0} calls a second arrive, whatever happens; the bulkhead refuses what is beyond its limit."));
        var seconds = ChartAxis.Between(0, scenario.Seconds, parts: 6);
        var calls = ChartAxis.FromZero(Math.Max(aimd.HighestLimit(0, scenario.Seconds), gradient.HighestLimit(0, scenario.Seconds)));
        var answers = ChartAxis.FromZero(scenario.Phases.Max(phase => scenario.Best(phase.From)) * 1.05);

        Limits(Panel(0, calls), "Aimd: calls", aimd);
        Limits(Panel(1, calls), "Gradient2: calls", gradient);
        Goodputs(Panel(2, answers), scenario, aimd, gradient);
        canvas.Caption("seconds");
        return canvas.ToString();

        ChartPanel Panel(int place, ChartAxis up) => new(canvas, FirstPanel + (place * (PanelHeight + PanelGap)), PanelHeight, seconds, up);
    }

    private static void Limits(ChartPanel panel, string title, SimulatedRun run)
    {
        Area(panel, run.Scenario, seconds => run.Scenario.At(seconds).Servers);
        panel.Axes(title);
        panel.Line(run.Samples.Select(sample => (sample.Seconds, (double)sample.InFlight)), ChartColors.Second, 1);
        panel.Line(run.Samples.Select(sample => (sample.Seconds, (double)sample.Limit)), ChartColors.First, 2);
        panel.Legend(("limit", ChartColors.First), ("in flight", ChartColors.Second), ("servers", ChartColors.Area));
    }

    private static void Goodputs(ChartPanel panel, Scenario scenario, SimulatedRun aimd, SimulatedRun gradient)
    {
        Area(panel, scenario, scenario.Best);
        panel.Axes("Useful answers a second");
        panel.Line(Smooth(aimd), ChartColors.First, 1.5);
        panel.Line(Smooth(gradient), ChartColors.Third, 1.5);
        panel.Legend(("Aimd", ChartColors.First), ("Gradient2", ChartColors.Third), ("best possible", ChartColors.Area));
    }

    // Two seconds together, for half a second of random arrivals is mostly noise.
    private static IEnumerable<(double Seconds, double Value)> Smooth(SimulatedRun run) =>
        run.Samples.Skip(3).Select((sample, i) => (sample.Seconds, run.Samples.Skip(i).Take(4).Average(one => one.Goodput)));

    private static void Area(ChartPanel panel, Scenario scenario, Func<double, double> value)
    {
        for (var i = 0; i < scenario.Phases.Count; i++)
        {
            var from = scenario.Phases[i].From;
            var to = i + 1 < scenario.Phases.Count ? scenario.Phases[i + 1].From : scenario.Seconds;
            panel.Area(from, to, value(from));
        }
    }
}
