using System.Globalization;
using ResilientHost.Benchmarks.Charts;
using ResilientHost.Benchmarks.Ratios;

namespace ResilientHost.Benchmarks.Sizes;

/// <summary>A study as a table and as a drawing.</summary>
internal static class SizeReport
{
    public static string Table(SizeResult result)
    {
        var (study, rows) = result;
        List<string[]> table = [[study.Counted, .. study.Columns.Select(static column => $"{column.Name}, {column.Unit}")]];
        table.AddRange(rows.Select(static row => (string[])[row.Size.ToString("#,0", CultureInfo.InvariantCulture), .. row.Values.Select(Text)]));
        return $"### {study.Title}\n\n{Report.Aligned(table)}";
    }

    public static string Chart(SizeResult result)
    {
        var study = result.Study;
        var fields = study.Columns
            .Select((column, index) => (Column: column, Line: new ChartSeries(column.Line, Points(result, index))))
            .GroupBy(static line => line.Column.Subject)
            .Select(static subject => new ChartField($"{subject.Key}, {subject.First().Column.Unit}", [.. subject.Select(static line => line.Line)])
            {
                Up = subject.First().Column.IsTotal ? ChartAxis.Decades(subject.SelectMany(static line => line.Line.Points).Select(static point => point.Y)) : null,
            });
        return new FieldChart(study.Title, study.Reading, study.Counted) { Across = ChartAxis.At(result.Rows.Select(static row => (double)row.Size)) }.Draw([.. fields]);
    }

    private static List<(double X, double Y)> Points(SizeResult result, int column) =>
        [.. result.Rows.Where(row => double.IsFinite(row.Values[column])).Select(row => ((double)row.Size, row.Values[column]))];

    private static string Text(double value) => value switch
    {
        double.NaN => "",
        >= 1e6 => (value / 1e6).ToString("0.0", CultureInfo.InvariantCulture) + " M",
        >= 100 or <= -100 => value.ToString("#,0", CultureInfo.InvariantCulture),
        >= 10 or <= -10 => value.ToString("0.0", CultureInfo.InvariantCulture),
        _ => value.ToString("0.##", CultureInfo.InvariantCulture),
    };
}
