namespace ResilientHost.Benchmarks.Sizes;

/// <summary>A cost that is followed from one of something to very many.</summary>
/// <param name="name">Stable name, of the table and its files.</param>
/// <param name="title">What is followed.</param>
/// <param name="reading">How to read the chart, in a sentence.</param>
/// <param name="counted">What there is more of from row to row.</param>
internal abstract class SizeStudy(string name, string title, string reading, string counted)
{
    public string Name { get; } = name;

    public string Title { get; } = title;

    public string Reading { get; } = reading;

    public string Counted { get; } = counted;

    /// <summary>The rows, smallest first.</summary>
    public abstract IReadOnlyList<int> Sizes { get; }

    /// <summary>What is measured of each.</summary>
    public abstract IReadOnlyList<SizeColumn> Columns { get; }

    /// <summary>Measures one size.</summary>
    /// <returns>A figure for each of <see cref="Columns"/>; <see cref="double.NaN"/> for one that cannot be had at this size.</returns>
    public abstract double[] Measure(int size);
}

/// <summary>A figure that is followed.</summary>
/// <param name="Line">Whose it is, as its line in the chart is called.</param>
/// <param name="Subject">What it is of; lines of one subject share a field of the chart.</param>
/// <param name="Unit">What it counts.</param>
internal sealed record SizeColumn(string Line, string Subject, string Unit)
{
    /// <summary>Whether it is of all together, and grows with the size by its nature, such as the time to start them: drawn by decades.</summary>
    public bool IsTotal { get; init; }

    public string Name => $"{Line}: {Subject}";
}

/// <summary>A figure of a study, for programs.</summary>
internal sealed record SizeFigure(string Study, int Size, string Column, string Unit, double Value);

/// <summary>A study with its figures.</summary>
internal sealed record SizeResult(SizeStudy Study, IReadOnlyList<(int Size, double[] Values)> Rows)
{
    public IEnumerable<SizeFigure> Figures() =>
        from row in Rows
        from figure in Study.Columns.Zip(row.Values)
        where double.IsFinite(figure.Second)
        select new SizeFigure(Study.Name, row.Size, figure.First.Name, figure.First.Unit, Ratios.Report.Significant(figure.Second));
}
