using System.Text.RegularExpressions;

namespace ResilientHost.Tests.Conventions;

/// <summary>The pages that the package brings: one for each layer, the migration guide and the runbook.</summary>
internal static partial class Pages
{
    public const string Runbook = "src/ResilientHost/RUNBOOK.md";

    public static IReadOnlyList<string> All { get; } =
        [.. Directory.EnumerateFiles(Path.Combine(Repository.Root, "src/ResilientHost"), "*.md", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(Repository.Root, file).Replace('\\', '/'))
            .Where(path => !path.Contains("/obj/", StringComparison.Ordinal) && !path.Contains("/bin/", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal)];

    /// <summary>The pages of the other packages that show how to begin.</summary>
    public static IReadOnlyList<string> OfPackages { get; } = ["src/ResilientHost.Telemetry/README.md", "src/ResilientHost.FeatureManagement/README.md"];

    /// <summary>Every page of the repository.</summary>
    public static IReadOnlyList<string> Everywhere { get; } =
        [.. Directory.EnumerateFiles(Repository.Root, "*.md", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(Repository.Root, file).Replace('\\', '/'))
            .Where(path => !path.Split('/').Any(part => part is "obj" or "bin" or "node_modules" || (part.StartsWith('.') && part != ".")))
            .Order(StringComparer.Ordinal)];

    public static string Read(string page) => Repository.Read(page).ReplaceLineEndings("\n");

    /// <summary>The rows of the tables that a comment <c>&lt;!-- options: Type --&gt;</c> announces, as cells.</summary>
    public static IEnumerable<OptionRow> OptionRows() =>
        from page in All
        from Match table in OptionTable().Matches(Read(page))
        from line in table.Groups["rows"].Value.Split('\n', StringSplitOptions.RemoveEmptyEntries)
        let cells = line.Trim().Trim('|').Split(" | ", StringSplitOptions.TrimEntries)
        select new OptionRow(page, table.Groups["type"].Value, cells[0].Trim('`'), cells[1], cells[2]);

    [GeneratedRegex(@"^<!-- options: (?<type>\w+) -->\n\n?\| key \| default \| bounds \| meaning \|\n\| --- \| --- \| --- \| --- \|\n(?<rows>(\|[^\n]*\n)+)", RegexOptions.Multiline)]
    private static partial Regex OptionTable();
}

/// <param name="Page">Where it stands.</param>
/// <param name="Type">The options class, without its type parameters.</param>
/// <param name="Name">The option.</param>
/// <param name="Default">What the page says its default is.</param>
/// <param name="Bounds">What the page says its bounds are.</param>
internal sealed record OptionRow(string Page, string Type, string Name, string Default, string Bounds)
{
    public override string ToString() => $"{Page}: {Type}.{Name}";
}
