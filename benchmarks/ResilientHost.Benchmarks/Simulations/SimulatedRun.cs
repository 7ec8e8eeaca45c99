namespace ResilientHost.Benchmarks.Simulations;

/// <summary>What a simulation gave.</summary>
internal sealed record SimulatedRun(Scenario Scenario, IReadOnlyList<LimitSample> Samples, BulkheadSnapshot End)
{
    private const int SettledSamples = 10;

    /// <summary>Useful answers between two moments, as a share of the most that there could be.</summary>
    public double Goodput(double from, double to)
    {
        var samples = Between(from, to).ToList();
        return samples.Sum(sample => sample.Goodput) / samples.Sum(sample => Scenario.Best(sample.Seconds));
    }

    public double MeanLatency(double from, double to) => Between(from, to).Average(sample => sample.Latency);

    public double MeanLimit(double from, double to) => Between(from, to).Average(sample => sample.Limit);

    public int LowestLimit(double from, double to) => Between(from, to).Min(sample => sample.Limit);

    public int HighestLimit(double from, double to) => Between(from, to).Max(sample => sample.Limit);

    /// <summary>Seconds after <paramref name="from"/> from which five seconds together give that share of the best goodput; infinite if none do.</summary>
    public double SettledAfter(double from, double share)
    {
        for (var i = 0; i + SettledSamples <= Samples.Count; i++)
        {
            var begin = Samples[i].Seconds - (Samples[1].Seconds - Samples[0].Seconds);
            if (begin >= from && Goodput(begin, Samples[i + SettledSamples - 1].Seconds) >= share)
            {
                return begin - from;
            }
        }

        return double.PositiveInfinity;
    }

    private IEnumerable<LimitSample> Between(double from, double to) => Samples.Where(sample => sample.Seconds > from && sample.Seconds <= to);
}
