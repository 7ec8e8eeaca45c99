using System.Globalization;
using ResilientHost.Benchmarks.Charts;

namespace ResilientHost.Benchmarks.Soak;

/// <summary>Draws a soak: what was asked, what was waited for, what lives, and what was allocated.</summary>
internal static class SoakChart
{
    private const int PanelHeight = 120;
    private const int PanelGap = 52;
    private const int FirstPanel = 100;
    private const double Mebibyte = 1 << 20;

    public static string Draw(IReadOnlyList<SoakSample> samples, int perSecond)
    {
        SvgCanvas canvas = new(
            FirstPanel + (5 * (PanelHeight + PanelGap)),
            "Under mixed load",
            string.Create(CultureInfo.InvariantCulture, $"{perSecond:N0} requests a second of every kind, all layers on: what may grow neither with time nor with requests."));
        var seconds = ChartAxis.Between(0, 6 * Math.Ceiling(samples[^1].Seconds / 6), parts: 6);
        var steps = samples.Zip(samples.Skip(1)).ToList();

        Panel(0, "Requests a second", ("requests", steps.Select(step => (step.Second.Seconds, (step.Second.Requests - step.First.Requests) / (step.Second.Seconds - step.First.Seconds)))));
        Panel(1, "MiB that full collections leave", ("living", SoakVerdict.Live(samples).Select(live => (live.Seconds, live.Bytes / Mebibyte))));
        Panel(2, "MiB of the process", ("resident", samples.Select(sample => (sample.Seconds, sample.ResidentBytes / Mebibyte))));
        Panel(3, "Bytes allocated for each request", ("bytes", steps.Where(step => step.Second.Requests > step.First.Requests).Select(step =>
            (step.Second.Seconds, (step.Second.AllocatedBytes - step.First.AllocatedBytes) / (double)(step.Second.Requests - step.First.Requests)))));
        Panel(
            4,
            "Counts",
            ("waits for any lock, so far", samples.Select(sample => (sample.Seconds, (double)(sample.Contentions - samples[0].Contentions)))),
            ("threads", samples.Select(sample => (sample.Seconds, (double)sample.Threads))),
            ("descriptors", samples.Select(sample => (sample.Seconds, (double)sample.Descriptors))));
        canvas.Caption("seconds");
        return canvas.ToString();

        void Panel(int place, string title, params (string Name, IEnumerable<(double X, double Y)> Points)[] lines)
        {
            var all = lines.Select(line => line.Points.ToList()).ToList();
            ChartPanel panel = new(canvas, FirstPanel + (place * (PanelHeight + PanelGap)), PanelHeight, seconds, ChartAxis.FromZero(all.SelectMany(line => line).Max(point => point.Y)));
            panel.Axes(title);
            for (var index = 0; index < all.Count; index++)
            {
                panel.Line(all[index], ChartColors.Of(index), 1.5);
            }

            panel.Legend([.. lines.Select((line, index) => (line.Name, ChartColors.Of(index)))]);
        }
    }
}
