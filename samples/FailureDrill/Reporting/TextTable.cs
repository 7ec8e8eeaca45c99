namespace FailureDrill.Reporting;

/// <summary>Columns of fixed width whose cells wrap.</summary>
internal sealed class TextTable(params (string Title, int Width)[] columns)
{
    private const string Gap = "  ";

    public void WriteHead(TextWriter output)
    {
        WriteRow(output, [.. columns.Select(column => new[] { column.Title })]);
        WriteRule(output);
    }

    public void WriteRule(TextWriter output) =>
        output.WriteLine(string.Join(Gap, columns.Select(column => new string('─', column.Width))));

    /// <summary>Writes one row; each cell is a list of paragraphs.</summary>
    public void WriteRow(TextWriter output, IReadOnlyList<IReadOnlyList<string>> cells)
    {
        var wrapped = cells.Select((cell, i) => cell.SelectMany(text => Wrap(text, columns[i].Width)).ToArray()).ToArray();
        for (var line = 0; line < wrapped.Max(cell => cell.Length); line++)
        {
            var parts = wrapped.Select((cell, i) => (line < cell.Length ? cell[line] : "").PadRight(columns[i].Width));
            output.WriteLine(string.Join(Gap, parts).TrimEnd());
        }
    }

    private static IEnumerable<string> Wrap(string text, int width)
    {
        var line = "";
        foreach (var word in text.Split(' '))
        {
            if (line.Length > 0 && line.Length + 1 + word.Length > width)
            {
                yield return line;
                line = "";
            }

            line = line.Length == 0 ? word : $"{line} {word}";
        }

        yield return line;
    }
}
