namespace ResilientHost.Benchmarks.Soak;

/// <summary>A thread waited for a lock.</summary>
/// <param name="At">When, by the clock of the wall, UTC.</param>
/// <param name="Method">Whose lock it is.</param>
/// <param name="Stack">From where it was asked for, innermost first.</param>
internal sealed record Contention(DateTime At, string Method, string Stack)
{
    private const string Library = "ResilientHost.";

    /// <summary>Whether it is one of the library's locks, or one that its code asked for inside the framework.</summary>
    public bool IsOurs => Method.StartsWith(Library, StringComparison.Ordinal) && !Method.StartsWith(Library + "Benchmarks.", StringComparison.Ordinal);
}

/// <summary>Where threads waited for a lock.</summary>
/// <param name="Count">How often.</param>
/// <param name="IsOurs">Whether the library's code asked for it.</param>
/// <param name="Stack">From where it was asked for, innermost first.</param>
internal sealed record ContentionSource(int Count, bool IsOurs, string Stack)
{
    /// <summary>By place, most often first.</summary>
    public static IReadOnlyList<ContentionSource> Of(IEnumerable<Contention> contentions) =>
        [.. contentions.GroupBy(contention => contention.Stack).Select(place => new ContentionSource(place.Count(), place.First().IsOurs, place.Key)).OrderByDescending(source => source.Count)];
}
