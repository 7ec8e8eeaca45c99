using System.Globalization;
using ResilientHost.Benchmarks.Http;
using ResilientHost.Benchmarks.Ratios;

namespace ResilientHost.Benchmarks.Soak;

/// <summary>Soaks a service with all layers for some minutes, writes down what it said of itself, draws it, and says which bounds it broke.</summary>
internal static class SoakCommand
{
    private const string Command = "--soak";
    private const string Rate = "--rate";
    private const int MostSources = 12;
    private const int DefaultPerSecond = 1_500;

    private const string Usage = """
        --soak MINUTES FILE   load a service of its own with mixed traffic, for 2 minutes or more; writes FILE as JSON, and beside it a drawing (.svg)
        --rate COUNT          requests a second; default 1,500, which two processors stand
        """;

    public static bool Handles(string[] args) => args.Contains(Command);

    /// <returns>The number of bounds that were broken; 100 when nothing was measured.</returns>
    public static int Run(string[] args) => LoadCommand.Run(() => Run(Parse(args) ?? throw new ArgumentException(Usage, nameof(args))));

    private static int Run((double Minutes, string File, int PerSecond) asked)
    {
        using var leaving = new Leaving();
        var run = SoakRun.MeasureAsync(TimeSpan.FromMinutes(asked.Minutes), asked.PerSecond, leaving.Token).GetAwaiter().GetResult();
        Report.Write(asked.File, new { Machine = Repository.Machine(), asked.Minutes, asked.PerSecond, run.Verdicts, run.Contentions, run.Bursts, run.BurstContentions, run.Answers, run.Samples });
        File.WriteAllText(Path.ChangeExtension(asked.File, ".svg"), SoakChart.Draw(run.Samples, asked.PerSecond));
        return Conclude(run);
    }

    private static int Conclude(SoakRun run)
    {
        foreach (var answers in run.Answers.GroupBy(answer => answer.Kind))
        {
            Console.WriteLine($"{answers.Key,-16} {string.Join(", ", answers.Select(answer => string.Create(CultureInfo.InvariantCulture, $"{answer.Answer}: {answer.Count}")))}");
        }

        Console.WriteLine();
        Print("steady", run.Contentions);
        Print("burst", run.BurstContentions);

        Console.WriteLine();
        foreach (var verdict in run.Verdicts)
        {
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{(verdict.Holds ? "holds" : "BROKEN"),-6} {verdict.Name}: {verdict.Text} (bound {verdict.Bound:0.##})"));
        }

        return run.Verdicts.Count(verdict => !verdict.Holds);
    }

    private static void Print(string phase, IReadOnlyList<ContentionSource> contentions)
    {
        foreach (var source in contentions.Take(MostSources))
        {
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{phase,-7}{source.Count,6} waits{(source.IsOurs ? " (ours)" : "")}: {source.Stack}"));
        }
    }

    private static (double Minutes, string File, int PerSecond)? Parse(string[] args) => args switch
    {
        [Command, var minutes, var file] => Parsed(minutes, file, DefaultPerSecond),
        [Command, var minutes, var file, Rate, var rate] when int.TryParse(rate, CultureInfo.InvariantCulture, out var perSecond) && perSecond > 0 => Parsed(minutes, file, perSecond),
        _ => null,
    };

    private static (double Minutes, string File, int PerSecond)? Parsed(string text, string file, int perSecond) =>
        double.TryParse(text, CultureInfo.InvariantCulture, out var minutes) && minutes > 0 ? (minutes, file, perSecond) : null;
}
