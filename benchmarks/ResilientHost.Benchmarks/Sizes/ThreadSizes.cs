using ResilientHost.Benchmarks.Bulkheads;
using ResilientHost.Benchmarks.CircuitBreaking;
using ResilientHost.Benchmarks.Ratios;

namespace ResilientHost.Benchmarks.Sizes;

/// <summary>Threads that call through the same instance at the same time.</summary>
internal sealed class ThreadSizes() : SizeStudy("threads", "Threads on one instance", "Calls a second through one breaker, or one bulkhead, by so many threads. Beyond the number of processors the threads take turns: level there is all that can be.", "threads")
{
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
        [new("breaker", "million calls/s"), new("Polly's breaker", "million calls/s"), new("bulkhead", "million calls/s "), new("ConcurrencyLimiter", "million calls/s ")];

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
