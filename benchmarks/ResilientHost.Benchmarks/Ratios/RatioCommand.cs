using System.Diagnostics;

namespace ResilientHost.Benchmarks.Ratios;

/// <summary>Measures the rows, writes them down, and says which are over their bar.</summary>
internal static class RatioCommand
{
    private const int Attempts = 3;
    private const int NotRun = 100;

    public static bool Handles(string[] args) => RatioArguments.Asked(args);

    /// <returns>With <c>--check</c> the number of rows over their bar; 0 otherwise; 100 when nothing was measured.</returns>
    public static int Run(string[] args)
    {
        RatioArguments arguments;
        try
        {
            arguments = RatioArguments.Parse(args);
        }
        catch (ArgumentException problem)
        {
            Console.Error.WriteLine(problem.Message);
            return NotRun;
        }

        if (Bars.WithoutRow(Rows.All.Select(row => row.Name)).ToList() is { Count: > 0 } orphans)
        {
            Console.Error.WriteLine($"Bars without a row: {string.Join(", ", orphans)}");
            return NotRun;
        }

        // A quick check has no time for rows that it could not fail by.
        var isCheckAlone = arguments is { Quick: true, Check: true };
        var comparisons = Rows.All.Where(row => row.Name.Contains(arguments.Only, StringComparison.OrdinalIgnoreCase) && (!isCheckAlone || Bars.For(row.Name) is not null)).ToList();
        if (comparisons.Count == 0)
        {
            Console.Error.WriteLine($"No row's name contains '{arguments.Only}'. Rows: {string.Join(", ", Rows.All.Select(row => row.Name))}");
            return NotRun;
        }

        var start = Stopwatch.GetTimestamp();
        var effort = arguments.Quick ? Effort.Quick : Effort.Full;
        var results = comparisons.ConvertAll(comparison => Measure(comparison, effort));
        for (var attempt = 2; arguments.Check && attempt <= Attempts; attempt++)
        {
            MeasureAgain(comparisons, results, effort);
        }

        var table = $"{Repository.Machine()}\n\n{Report.Table(comparisons.Zip(results))}";
        Console.WriteLine(table);
        Console.WriteLine($"{results.Count} rows in {Stopwatch.GetElapsedTime(start).TotalSeconds:0} s; min..max: medians of the rounds. ns/op: less is better, ops/s: more is better.");

        Write(arguments, results, table);
        return arguments.Check ? Verdict(results.ConvertAll(result => result.Row)) : 0;
    }

    private static Measurement Measure(Comparison comparison, Effort effort)
    {
        Console.Error.WriteLine(comparison.Name);
        return PairedHarness.Measure(comparison, effort);
    }

    // Noise does not repeat three times; a regression does. After all the others, for a disturbed machine stays so for seconds or a minute.
    private static void MeasureAgain(List<Comparison> comparisons, List<Measurement> results, Effort effort)
    {
        for (var row = 0; row < results.Count; row++)
        {
            if (Bars.For(comparisons[row].Name)?.Holds(results[row].Row) == false)
            {
                Console.Error.WriteLine($"{comparisons[row].Name}: over its bar, measured again");
                results[row] = PairedHarness.Measure(comparisons[row], effort);
            }
        }
    }

    private static void Write(RatioArguments arguments, List<Measurement> measurements, string table)
    {
        if (arguments.File is { } file)
        {
            Report.WriteJson(file, measurements);
        }

        if (arguments.Publish)
        {
            var folder = Repository.BenchmarksFolder();
            Report.WriteJson(Path.Combine(folder, "results", "ratios.json"), measurements);
            Report.WriteTable(Path.Combine(folder, "README.md"), "ratios", table);
        }
    }

    private static int Verdict(List<RatioRow> rows)
    {
        var over = rows.FindAll(row => Bars.For(row.Name)?.Holds(row) == false);
        foreach (var row in over)
        {
            Console.WriteLine($"OVER: {row.Name}: ratio {row.Ratio:0.####}, {row.OursBytes:0.#} B against {row.PeerBytes:0.#} B; bar {Bars.For(row.Name)!.Text()}");
        }

        Console.WriteLine(over.Count == 0 ? "All bars hold." : $"{over.Count} of the rows over their bar.");
        return over.Count;
    }
}
