namespace ResilientHost.Benchmarks.Ratios;

/// <summary>What a call costs when several threads share one instance, against one thread that has an instance to itself: CPU time, so that waiting for a processor does not count but fighting over a cache line does.</summary>
internal static class ThreadCost
{
    private const int CallsForTier = 40;
    private const int SettlingSlices = 4;
    private static readonly TimeSpan CompilerPause = TimeSpan.FromMilliseconds(120);

    public static Measurement Measure(string name, int threads, Func<IOperation> create, Effort effort)
    {
        var (shared, own) = (create(), create());
        for (var phase = 0; phase < effort.WarmUpPhases; phase++)
        {
            for (var call = 0; call < CallsForTier; call++)
            {
                shared.Run(16);
                own.Run(16);
            }

            Thread.Sleep(CompilerPause);
        }

        using var many = new ThreadTeam(threads);
        using var one = new ThreadTeam(1);
        for (var slice = 0; slice < SettlingSlices; slice++)
        {
            many.Run(shared, effort.SharedSlice);
            one.Run(own, effort.SharedSlice);
        }

        var rounds = Enumerable.Range(0, effort.Rounds).Select(_ => Round(many, shared, one, own, effort)).ToList();
        var turns = rounds.SelectMany(static round => round).ToList();
        var medians = rounds.ConvertAll(static round => Median(round.Select(Ratio)));
        var row = new RatioRow(
            name,
            Median(turns.Select(static turn => Cpu(turn.Many))),
            Median(turns.Select(static turn => Cpu(turn.One))),
            Median(turns.Select(Ratio)),
            "ns CPU",
            BytesPerOperation(turns.Select(static turn => turn.Many)),
            BytesPerOperation(turns.Select(static turn => turn.One)));
        return new Measurement(row, medians.Min(), medians.Max());
    }

    /// <summary>An instance for each thread: what several busy processors cost by themselves, for they share caches, memory and often a core's insides.</summary>
    public static IOperation Apart(Func<IOperation> create) => new OperationOfThread(create);

    private static List<(Slice Many, Slice One)> Round(ThreadTeam many, IOperation shared, ThreadTeam one, IOperation own, Effort effort) =>
        [.. Enumerable.Range(0, Math.Max(6, effort.PairsPerRound / 4)).Select(_ => (many.Run(shared, effort.SharedSlice), one.Run(own, effort.SharedSlice)))];

    private static double Ratio((Slice Many, Slice One) turn) => Cpu(turn.Many) / Cpu(turn.One);

    private static double Cpu(Slice slice) => slice.ProcessorShare * slice.NanosecondsPerOperation;

    private static double BytesPerOperation(IEnumerable<Slice> slices)
    {
        var all = slices.ToList();
        return Math.Round((double)all.Sum(static slice => slice.Bytes) / all.Sum(static slice => slice.Operations), 1);
    }

    private static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        var middle = sorted.Length / 2;
        return sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    private sealed class OperationOfThread(Func<IOperation> create) : IOperation
    {
        private readonly ThreadLocal<IOperation> _own = new(create);

        public void Run(int count) => _own.Value!.Run(count);
    }
}
