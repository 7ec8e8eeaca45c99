using System.Globalization;
using System.Text;
using System.Text.Json;

namespace ResilientHost.Benchmarks.Ratios;

/// <summary>The measured rows for people (a table) and for programs (JSON).</summary>
internal static class Report
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    public static void WriteJson(string path, IEnumerable<Measurement> measurements) => WriteRows(path, measurements.Select(measurement => measurement.Row with
    {
        Ours = Significant(measurement.Row.Ours),
        Peer = Significant(measurement.Row.Peer),
        Ratio = Significant(measurement.Row.Ratio),
    }));

    public static void WriteRows<TRow>(string path, IEnumerable<TRow> rows) => Write(path, rows);

    /// <summary>Anything as JSON in a file; its folder is made where there is none.</summary>
    public static void Write<TValue>(string path, TValue value)
    {
        if (Path.GetDirectoryName(Path.GetFullPath(path)) is { Length: > 0 } folder)
        {
            Directory.CreateDirectory(folder);
        }

        File.WriteAllText(path, JsonSerializer.Serialize(value, Json) + "\n");
    }

    /// <summary>Replaces the table between the two markers of a section in a Markdown file.</summary>
    public static void WriteTable(string path, string section, string table)
    {
        var (first, last) = ($"<!-- {section}: begin -->", $"<!-- {section}: end -->");
        var text = File.ReadAllText(path);
        var begin = text.IndexOf(first, StringComparison.Ordinal);
        var end = text.IndexOf(last, StringComparison.Ordinal);
        if (begin < 0 || end < begin)
        {
            throw new InvalidDataException($"{path} must hold the lines '{first}' and '{last}'; the table goes between them.");
        }

        File.WriteAllText(path, $"{text[..(begin + first.Length)]}\n{table}{text[end..]}");
    }

    public static string Table(IEnumerable<(Comparison Comparison, Measurement Measurement)> results)
    {
        var rows = new List<string[]> { new[] { "row", "against", "ours", "peer", "unit", "ratio", "min..max", "B ours", "B peer", "aim", "bar", "" } };
        foreach (var (comparison, (row, lowest, highest)) in results)
        {
            var bar = Bars.For(row.Name);
            rows.Add(
            [
                row.Name, comparison.Peer, Number(row.Ours), Number(row.Peer), row.Unit, Number(row.Ratio), $"{Number(lowest)}..{Number(highest)}",
                Number(row.OursBytes), Number(row.PeerBytes), bar is { Aim: not null } ? $"{bar.AimText()}{(bar.Reaches(row) ? "" : " missed")}" : "", bar?.Text() ?? "", bar is null ? "" : bar.Holds(row) ? "holds" : "OVER",
            ]);
        }

        return Aligned(rows);
    }

    /// <summary>A Markdown table whose columns stand below each other as text, too.</summary>
    /// <param name="rows">The first is the head.</param>
    public static string Aligned(IReadOnlyList<string[]> rows)
    {
        var widths = Enumerable.Range(0, rows[0].Length).Select(column => rows.Max(row => row[column].Length)).ToArray();
        var table = new StringBuilder();
        foreach (var row in rows)
        {
            table.Append(CultureInfo.InvariantCulture, $"| {string.Join(" | ", row.Select((cell, column) => cell.PadRight(widths[column])))} |\n");
            if (ReferenceEquals(row, rows[0]))
            {
                table.Append(CultureInfo.InvariantCulture, $"| {string.Join(" | ", widths.Select(width => new string('-', Math.Max(3, width))))} |\n");
            }
        }

        return table.ToString();
    }

    public static string Number(double value) => value switch
    {
        >= 1e6 => (value / 1e6).ToString("0.0", CultureInfo.InvariantCulture) + " M",
        >= 100 => value.ToString("0", CultureInfo.InvariantCulture),
        >= 1 or 0 => value.ToString("0.##", CultureInfo.InvariantCulture),
        _ => value.ToString("0.0000", CultureInfo.InvariantCulture),
    };

    public static double Significant(double value) =>
        value == 0 || !double.IsFinite(value) ? value : double.Parse(value.ToString("G4", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
}
