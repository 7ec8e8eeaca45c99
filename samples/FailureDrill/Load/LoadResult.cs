namespace FailureDrill.Load;

/// <summary>All answers of one load.</summary>
internal sealed record LoadResult(IReadOnlyList<Answer> Answers)
{
    public int Count => Answers.Count;

    /// <summary>Share of answers with 200, 0 to 1.</summary>
    public double Success => Count == 0 ? 0 : (double)Answers.Count(answer => answer.Status == 200) / Count;

    /// <summary>How often each kind of answer came, most frequent first.</summary>
    public IReadOnlyDictionary<string, int> Kinds => Answers
        .GroupBy(answer => answer.Kind, StringComparer.Ordinal)
        .OrderByDescending(group => group.Count())
        .ToDictionary(group => group.Key, group => group.Count(), StringComparer.Ordinal);

    public TimeSpan P99 => Percentile(0.99);

    public int CountOf(string kind) => Answers.Count(answer => answer.Kind == kind);

    /// <summary>The answers to these requests.</summary>
    public LoadResult Of(params Request[] requests) => Where(answer => requests.Contains(answer.Request));

    public LoadResult Where(Func<Answer, bool> condition) => new([.. Answers.Where(condition)]);

    /// <summary>The nearest-rank percentile of how long answers took; zero without answers.</summary>
    public TimeSpan Percentile(double share)
    {
        if (Count == 0)
        {
            return TimeSpan.Zero;
        }

        var sorted = Answers.Select(answer => answer.Elapsed).Order().ToArray();
        return sorted[Math.Clamp((int)Math.Ceiling(share * sorted.Length) - 1, 0, sorted.Length - 1)];
    }
}
