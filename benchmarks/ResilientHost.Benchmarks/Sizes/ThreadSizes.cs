using ResilientHost.Benchmarks.Bulkheads;
using ResilientHost.Benchmarks.CircuitBreaking;
using ResilientHost.Benchmarks.Ratios;

namespace ResilientHost.Benchmarks.Sizes;

/// <summary>Threads that call through the same instance at the same time.</summary>
internal sealed class ThreadSizes() : SizeStudy("threads", "Threads on one instance", "Beyond the number of processors threads take turns: to stay level is all that can be there.", "threads")
{
    private const string Unit = "million calls a second";
    private const int Slices = 7;
    private static readonly TimeSpan During = TimeSpan.FromMilliseconds(80);
    private readonly Lazy<IOperation[]> _sides = new(static () =>
    {
        IOperation[] sides = [GuardedCalls.Closed(), PollyCalls.Closed(), BulkheadCalls.WithRoom(), LimiterCalls.WithRoom()];
        Figure.WarmUp(sides);
        return sides;
    });

    public override IReadOnlyList<int> Sizes { get; } = [1, 2, 4, 8];

    public override IReadOnlyList<SizeColumn> Columns { get; } =
        [new("ours", "breaker", Unit), new("Polly", "breaker", Unit), new("ours", "bulkhead", Unit), new("ConcurrencyLimiter", "bulkhead", Unit)];

    public override double[] Measure(int size)
    {
        using ThreadTeam team = new(size);
        var sides = _sides.Value;
        var rates = Array.ConvertAll(sides, static _ => new double[Slices]);
        for (var slice = 0; slice < Slices; slice++)
        {
            for (var side = 0; side < sides.Length; side++)
            {
                rates[side][slice] = team.Run(sides[side], During).OperationsPerSecond / 1e6;
            }
        }

        return Array.ConvertAll(rates, Figure.Median);
    }
}
