using System.Diagnostics;
using ResilientHost.Benchmarks.Ratios;

namespace ResilientHost.Benchmarks.Http;

/// <summary>Loads real servers, writes down what they did, and says which rows are over their bar.</summary>
internal static class HttpCommand
{
    public static bool Handles(string[] args) => HttpArguments.Asked(args);

    /// <returns>With <c>--check</c> the number of rows over their bar, those included that could not be measured; 0 otherwise; 100 when nothing was measured.</returns>
    public static int Run(string[] args) => LoadCommand.Run(() => Run(HttpArguments.Parse(args)));

    private static int Run(HttpArguments arguments)
    {
        if (!Wrk.IsInstalled || !MachineTime.IsKnown)
        {
            Console.Error.WriteLine("Nothing was measured: it takes wrk (on Debian 'apt-get install wrk') and Linux, which tells what each process used.");
            return LoadCommand.NotRun;
        }

        var modes = ServerModes.Matching(arguments.Only);
        if (modes.Count == 0)
        {
            Console.Error.WriteLine($"No mode's name contains '{arguments.Only}'. Modes: {string.Join(", ", ServerModes.All.Select(mode => mode.Name))}");
            return LoadCommand.NotRun;
        }

        var start = Stopwatch.GetTimestamp();
        var effort = arguments.Quick ? HttpEffort.Quick : HttpEffort.Full;
        var seed = Environment.TickCount & 0xFFFF;
        using var leaving = new Leaving();
        var slices = new HttpRun(modes, effort, arguments.Foreign, seed).MeasureAsync(leaving.Token).GetAwaiter().GetResult();
        var rows = modes.Select(mode => HttpRow.Of(mode, slices, effort.FewestPairs)).OfType<HttpRow>().ToList();
        var table = $"{Repository.Machine()}; wrk, {Wrk.Connections} connections, order drawn with seed {seed}\n\n{HttpTable.Of(rows)}";
        Console.WriteLine(table);
        Console.WriteLine($"{modes.Count} modes in {Stopwatch.GetElapsedTime(start).TotalSeconds:0} s. HTTP/1.1 only: wrk speaks no HTTP/2.");
        return Conclude(arguments, modes, rows, table);
    }

    private static int Conclude(HttpArguments arguments, IReadOnlyList<ServerMode> modes, List<HttpRow> rows, string table)
    {
        if (rows.Count < modes.Count || rows.Exists(row => row.Ratio is null))
        {
            Console.Error.WriteLine($"Others used more than {arguments.Foreign} processors too often: some rows have too few slices, or none.");
            if (arguments.Publish)
            {
                return LoadCommand.NotRun;
            }
        }

        if (arguments.File.Length > 0)
        {
            Report.WriteRows(arguments.File, rows);
        }

        if (arguments.Publish)
        {
            var folder = Repository.BenchmarksFolder();
            Report.WriteRows(Path.Combine(folder, "results", "http.json"), rows);
            Report.WriteTable(Path.Combine(folder, "README.md"), "http", table);
        }

        // A bar whose row nobody could measure does not hold.
        var over = modes.Count(mode => HttpBar.For(mode.Name) is { } bar && (rows.Find(row => row.Mode == mode.Name) is not { } row || !bar.IsHeldBy(row)));
        Console.WriteLine(over == 0 ? "All bars hold." : $"{over} of the rows are not within their bar.");
        return rows.Count == 0 ? LoadCommand.NotRun : arguments.Check ? over : 0;
    }
}
