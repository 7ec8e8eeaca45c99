namespace ResilientHost.Benchmarks.Simulations;

/// <summary>A story: calls arrive at a steady mean rate, and what they meet changes.</summary>
internal sealed record Scenario(string Name, string Title, double Seconds, double ArrivalsPerSecond, IReadOnlyList<Phase> Phases)
{
    /// <summary>Time after which a caller has no use for an answer any more.</summary>
    public const double PatienceSeconds = 0.5;

    /// <summary>Time in which a call is turned away or fails fast.</summary>
    public const double FastSeconds = 0.001;

    public Phase At(double seconds) => Phases.Last(phase => phase.From <= seconds);

    /// <summary>Useful answers a second that nobody could exceed.</summary>
    public double Best(double seconds)
    {
        var phase = At(seconds);
        return Math.Min(ArrivalsPerSecond * (1 - phase.FastFailures), phase.CallsPerSecond);
    }

    /// <summary>Calls that the waiting line takes before it turns the next away with an error.</summary>
    public static int LineLength(Phase phase) => 2 * phase.Servers;
}
