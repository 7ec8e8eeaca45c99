namespace ResilientHost.Benchmarks.Ratios;

/// <summary>How long a row is measured.</summary>
/// <param name="WarmUpPhases">Times that both sides are run and then left alone long enough for the tiered compiler to take the next step.</param>
/// <param name="Rounds">Rounds of pairs; the median of each gives one end of the spread.</param>
/// <param name="PairsPerRound">Pairs of slices in a round.</param>
/// <param name="Slice">How long one side runs before it is the other's turn, on one thread.</param>
/// <param name="SharedSlice">The same where several threads share the instance.</param>
internal sealed record Effort(int WarmUpPhases, int Rounds, int PairsPerRound, TimeSpan Slice, TimeSpan SharedSlice)
{
    public static Effort Quick { get; } = new(6, 5, 16, TimeSpan.FromMilliseconds(3), TimeSpan.FromMilliseconds(30));

    public static Effort Full { get; } = new(8, 5, 40, TimeSpan.FromMilliseconds(4), TimeSpan.FromMilliseconds(40));
}
