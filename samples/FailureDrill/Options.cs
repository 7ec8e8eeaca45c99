using System.Diagnostics.CodeAnalysis;
using FailureDrill.Drills;

namespace FailureDrill;

/// <summary>What the command line asks for.</summary>
internal sealed class Options
{
    private readonly List<Drill> _only = [];

    public static string Help { get; } = """
        Breaks running services in many ways, with the resilience layers and without, and tells what happened.

        dotnet run -c Release --project samples/FailureDrill [-- options]

          --only NAME   run this drill only; may be repeated
          --list        list the drills and what must hold in each
          --json FILE   write the results to FILE as well
          --help        this text

        Exit code: the number of drills that failed with the layers; 100 and above when the drills could not be run.
        """;

    public IReadOnlyList<Drill> Drills => _only.Count > 0 ? _only : DrillCatalog.All;

    public string? JsonFile { get; private set; }

    public bool ShowHelp { get; private set; }

    public bool ShowList { get; private set; }

    public static bool TryParse(string[] args, out Options options, [NotNullWhen(false)] out string? error)
    {
        options = new Options();
        error = null;
        for (var i = 0; i < args.Length && error is null; i++)
        {
            var value = i + 1 < args.Length ? args[i + 1] : null;
            error = options.Take(args[i], value, out var usedValue);
            i += usedValue ? 1 : 0;
        }

        return error is null;
    }

    public static string DescribeDrills() =>
        string.Join(Environment.NewLine, DrillCatalog.All.SelectMany(Describe));

    private static IEnumerable<string> Describe(Drill drill) =>
        [$"{drill.Name}: {drill.Failure}", .. drill.MustHold.Select(promise => $"    {promise}")];

    private string? Take(string name, string? value, out bool usedValue)
    {
        usedValue = name is "--json" or "--only";
        if (usedValue && value is null)
        {
            return $"{name} needs a value; see --help.";
        }

        switch (name)
        {
            case "--help" or "-h":
                ShowHelp = true;
                return null;
            case "--list":
                ShowList = true;
                return null;
            case "--json":
                JsonFile = value;
                return null;
            case "--only":
                return Choose(value!);
            default:
                return $"Unknown option '{name}'; see --help.";
        }
    }

    private string? Choose(string name)
    {
        if (DrillCatalog.Find(name) is not { } drill)
        {
            return $"There is no drill '{name}'; there are {string.Join(", ", DrillCatalog.All.Select(known => known.Name))}.";
        }

        if (!_only.Contains(drill))
        {
            _only.Add(drill);
        }

        return null;
    }
}
