namespace ResilientHost.Hosting;

/// <summary>One option as it is in force.</summary>
/// <param name="Key">Its key under the suite's section, such as <c>CircuitBreakers:checkout:FailureRatio</c>.</param>
/// <param name="Inherited">Keys that it falls back to, nearest first.</param>
/// <param name="Value">Its value as configuration would write it; <see langword="null"/> for none.</param>
/// <param name="Default">What it would be if nobody had said anything.</param>
internal sealed record OptionEntry(string Key, IReadOnlyList<string> Inherited, string? Value, string? Default)
{
    /// <summary>How texts of it are read; <see langword="null"/> for what only code can set.</summary>
    public ValueFormat? Format { get; init; }

    /// <summary>Whether it is free text, which may tell more than a threshold does.</summary>
    public bool IsText { get; init; }
}
