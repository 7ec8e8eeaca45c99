namespace ResilientHost.Benchmarks.Soak;

/// <summary>A kind of request.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Path">Where it goes; <c>{0}</c> is a number that differs from request to request.</param>
/// <param name="Weight">How many of a hundred requests are of it.</param>
/// <param name="Expected">What it may be answered with.</param>
internal sealed record SoakKind(string Name, string Path, int Weight, params int[] Expected)
{
    /// <summary>The client leaves before the answer.</summary>
    public bool IsCancelled { get; init; }
}
