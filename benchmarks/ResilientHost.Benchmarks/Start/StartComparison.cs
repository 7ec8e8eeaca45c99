using ResilientHost.Benchmarks.Ratios;

namespace ResilientHost.Benchmarks.Start;

/// <summary>
/// Start and first response of a web application, with all layers and without any: whole processes in turns, from their birth to the
/// first answer over a socket.
/// </summary>
/// <remarks>
/// The figure is the CPU time of the process, all threads in user and kernel mode, which is what a start takes of a machine whoever else
/// is on it. What people wait for is the wall clock, which on a shared machine measures the neighbours: the same processes are measured with it, for a row of its own.
/// </remarks>
internal sealed class StartComparison(string written, int endpoints)
{
    private List<(StartTimes Ours, StartTimes Peer)> _last = [];

    public Measurement Cpu(string name, Effort effort)
    {
        _last = Pairs(effort);
        return Compare(name, "ms CPU", times => times.Cpu);
    }

    /// <summary>Of the processes that <see cref="Cpu"/> measured last, if it did.</summary>
    public Measurement Wall(string name, Effort effort)
    {
        _last = _last.Count > 0 ? _last : Pairs(effort);
        return Compare(name, "ms", times => times.Wall);
    }

    private List<(StartTimes Ours, StartTimes Peer)> Pairs(Effort effort)
    {
        // Whole programs take their time; the first of them, which reads its files from disk, is one that the median leaves out.
        var count = effort == Effort.Quick ? 3 : effort.Rounds;
        var pairs = new List<(StartTimes, StartTimes)>();
        for (var pair = 0; pair < count; pair++)
        {
            // Who goes first alternates, so that a machine that speeds up or slows down favours nobody.
            if (pair % 2 == 0)
            {
                var ours = Once(ServerProgram.Layered);
                pairs.Add((ours, Once(ServerProgram.Bare)));
            }
            else
            {
                var peer = Once(ServerProgram.Bare);
                pairs.Add((Once(ServerProgram.Layered), peer));
            }
        }

        return pairs;
    }

    private StartTimes Once(string side) => StartTimes.Of(side, written, endpoints);

    private Measurement Compare(string name, string unit, Func<StartTimes, double> figure)
    {
        var ratios = _last.ConvertAll(pair => figure(pair.Ours) / figure(pair.Peer));
        var row = new RatioRow(name, Median(_last.Select(pair => figure(pair.Ours))), Median(_last.Select(pair => figure(pair.Peer))), Median(ratios), unit, 0, 0);
        return new Measurement(row, ratios.Min(), ratios.Max());
    }

    private static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        var middle = sorted.Length / 2;
        return sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}
