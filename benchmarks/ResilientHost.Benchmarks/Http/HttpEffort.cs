namespace ResilientHost.Benchmarks.Http;

/// <summary>How long is measured.</summary>
/// <param name="Launches">Times that all servers are started anew: two processes that run the same code differ by percents, and for their whole life.</param>
/// <param name="WarmUps">Slices of each server before anything counts, so that the tiered compiler is through.</param>
/// <param name="Rounds">Most slices of each server in a launch.</param>
/// <param name="Limit">How long all of it may take. Slices that are disturbed and measured again cost rounds, not time.</param>
internal sealed record HttpEffort(int Launches, int WarmUps, int Rounds, TimeSpan Limit)
{
    public static HttpEffort Quick { get; } = new(Launches: 1, WarmUps: 1, Rounds: 4, TimeSpan.FromSeconds(52));

    public static HttpEffort Full { get; } = new(Launches: 4, WarmUps: 2, Rounds: 7, TimeSpan.FromSeconds(345));

    /// <summary>Fewest pairs that a ratio is made of.</summary>
    public int FewestPairs => Launches == 1 ? 3 : 12;
}
