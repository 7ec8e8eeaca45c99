using System.Diagnostics;
using ResilientHost.Benchmarks.Ratios;

namespace ResilientHost.Benchmarks.Sizes;

/// <summary>Measures the studies one after the other, prints them as tables and draws them.</summary>
internal static class SizeCommand
{
    private const int NotRun = 100;

    public static bool Handles(string[] args) => SizeArguments.Asked(args);

    /// <returns>0; 100 when nothing was measured.</returns>
    public static int Run(string[] args)
    {
        try
        {
            return Run(SizeArguments.Parse(args));
        }
        catch (Exception problem) when (problem is ArgumentException or IOException)
        {
            Console.Error.WriteLine(problem.Message);
            return NotRun;
        }
    }

    private static int Run(SizeArguments arguments)
    {
        var studies = SizeStudies.All.Where(study => study.Name.Contains(arguments.Only, StringComparison.OrdinalIgnoreCase)).ToList();
        if (studies.Count == 0)
        {
            Console.Error.WriteLine($"No study's name contains '{arguments.Only}'. Studies: {string.Join(", ", SizeStudies.All.Select(static study => study.Name))}");
            return NotRun;
        }

        if (arguments.Publish && Path.GetFullPath(arguments.Folder) != Path.Combine(Repository.BenchmarksFolder(), "results"))
        {
            Console.Error.WriteLine("--publish writes what README.md links to: FOLDER must be benchmarks/results.");
            return NotRun;
        }

        var start = Stopwatch.GetTimestamp();
        Directory.CreateDirectory(arguments.Folder);
        var results = studies.ConvertAll(Measure);
        var tables = $"{Repository.Machine()}\n\n{string.Join('\n', results.Select(SizeReport.Table))}";
        Console.WriteLine(tables);
        Console.WriteLine($"{studies.Count} studies in {Stopwatch.GetElapsedTime(start).TotalSeconds:0} s.");

        Report.WriteRows(Path.Combine(arguments.Folder, "sizes.json"), results.SelectMany(static result => result.Figures()));
        results.ForEach(result => File.WriteAllText(Path.Combine(arguments.Folder, FileOf(result)), SizeReport.Chart(result)));
        if (arguments.Publish)
        {
            var withCharts = results.Select(static result => $"{SizeReport.Table(result)}\n![{result.Study.Title}](results/{FileOf(result)})\n");
            Report.WriteTable(Path.Combine(Repository.BenchmarksFolder(), "README.md"), "sizes", $"{Repository.Machine()}\n\n{string.Join('\n', withCharts)}");
        }

        return 0;
    }

    private static SizeResult Measure(SizeStudy study)
    {
        List<(int Size, double[] Values)> rows = [];
        foreach (var size in study.Sizes)
        {
            Console.Error.WriteLine($"{study.Name}: {size}");
            rows.Add((size, study.Measure(size)));
        }

        return new SizeResult(study, rows);
    }

    private static string FileOf(SizeResult result) => $"size-{result.Study.Name}.svg";
}
