using Polly;

namespace ResilientHost.Benchmarks.CircuitBreaking;

/// <summary>The protected calls: as cheap as a call can be, so that what is measured is the protection.</summary>
internal static class Work
{
    public const int Refused = -1;

    private static readonly InvalidOperationException Failure = new("benchmark");

    public static Func<CancellationToken, ValueTask<int>> Succeeds { get; } = static _ => new ValueTask<int>(42);

    public static Func<CancellationToken, ValueTask<Outcome<int>>> Fails { get; } = static _ => new ValueTask<Outcome<int>>(Outcome.FromException<int>(Failure));
}
