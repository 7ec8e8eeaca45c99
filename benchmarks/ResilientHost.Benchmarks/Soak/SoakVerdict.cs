using ResilientHost.Benchmarks.Http;

namespace ResilientHost.Benchmarks.Soak;

/// <summary>A figure of the whole soak, and the bound that it must keep.</summary>
/// <param name="Name">What is judged.</param>
/// <param name="Value">The figure.</param>
/// <param name="Bound">The most that it may be.</param>
/// <param name="Text">The figure in words, with what it is made of.</param>
internal sealed record SoakVerdict(string Name, double Value, double Bound, string Text)
{
    public bool Holds => Value <= Bound;

    /// <param name="samples">At least six, of a warm service.</param>
    /// <param name="contentions">Whose locks threads waited for.</param>
    /// <param name="bursts">Kinds of requests under all the load that the machine stands, where that was measured.</param>
    /// <param name="clients">Who asked.</param>
    public static IReadOnlyList<SoakVerdict> Of(IReadOnlyList<SoakSample> samples, IReadOnlyList<Contention> contentions, IReadOnlyList<SoakBurst> bursts, SoakClients clients)
    {
        var (first, last) = (samples[0], samples[^1]);
        var (early, late) = (samples.Take(samples.Count / 3).ToList(), samples.Skip(samples.Count - (samples.Count / 3)).ToList());
        var millions = (last.Requests - first.Requests) / 1e6;
        var ours = contentions.Count(contention => contention.IsOurs) / millions;
        var all = (last.Contentions - first.Contentions) / millions;
        var growth = GrowthPerMinute(samples);
        var live = PairedRatio.MedianOf(Live(samples).Select(sample => (double)sample.Bytes));
        var (before, after) = (AllocatedPerRequest(early), AllocatedPerRequest(late));
        return
        [
            new("lock contention", ours, 20, FormattableString.Invariant($"{ours:0.0} waits for a lock of ours per million requests ({all:0.0} for any lock, {millions:0.000} million requests)")),
            .. bursts.Count == 0 ? Array.Empty<SoakVerdict>() : [Burst("lock contention in bursts", bursts.Where(burst => !burst.Throws), 50), Burst("lock contention in bursts of exceptions", bursts.Where(burst => burst.Throws), 1_000)],
            new("growth of what lives", growth * LaterMinutes(samples) / live, 0.05, FormattableString.Invariant($"{growth / 1024:0.0} KiB a minute over the last two thirds, {growth * LaterMinutes(samples) / live:0.0 %} in all, of {live / 1024:0} KiB that full collections leave; {last.Gen2 - first.Gen2 - (last.AskedGen2 - first.AskedGen2)} collections of generation 2 besides those")),
            new("allocation per request", after / before, 1.05, FormattableString.Invariant($"{before:0} B in the first third, {after:0} B in the last")),
            new("threads", Usual(late, sample => sample.Threads) - Usual(early, sample => sample.Threads), 8, FormattableString.Invariant($"{Usual(early, sample => sample.Threads)} in the first third, {Usual(late, sample => sample.Threads)} in the last (medians)")),
            new("descriptors", Usual(late, sample => sample.Descriptors) - Usual(early, sample => sample.Descriptors), 32, FormattableString.Invariant($"{Usual(early, sample => sample.Descriptors)} in the first third, {Usual(late, sample => sample.Descriptors)} in the last (medians)")),
            new("unexpected answers", clients.Unexpected, 0, FormattableString.Invariant($"{clients.Unexpected}; {clients.HeldBack} requests held back")),
        ];
    }

    /// <summary>What full collections left, and when.</summary>
    public static IEnumerable<(double Seconds, long Bytes)> Live(IEnumerable<SoakSample> samples) =>
        samples.Where(sample => sample.LiveBytes > 0).Select(sample => (sample.Seconds, sample.LiveBytes));

    private static SoakVerdict Burst(string name, IEnumerable<SoakBurst> bursts, double bound)
    {
        var all = bursts.ToList();
        var millions = all.Sum(burst => burst.Requests) / 1e6;
        var ours = all.Sum(burst => burst.OurWaits) / millions;
        var kinds = string.Join(", ", all.Select(burst => FormattableString.Invariant($"{burst.Kind} {burst.OurWaits * 1e6 / burst.Requests:0}")));
        return new(name, ours, bound, FormattableString.Invariant($"{ours:0.0} waits for a lock of ours per million requests ({kinds}; {all.Sum(burst => burst.Waits) / millions:0.0} for any lock, {millions:0.000} million requests)"));
    }

    // The median of the slopes of all pairs (Theil and Sen): single samples that are off do not bend it.
    private static double GrowthPerMinute(IReadOnlyList<SoakSample> samples)
    {
        var live = Live(samples.Skip(samples.Count / 3)).ToArray();
        var slopes = live.SelectMany((from, index) => live.Skip(index + 1).Select(to => (to.Bytes - from.Bytes) / (to.Seconds - from.Seconds))).ToArray();
        return slopes.Length == 0 ? double.NaN : PairedRatio.MedianOf(slopes) * 60;
    }

    private static double LaterMinutes(IReadOnlyList<SoakSample> samples) => (samples[^1].Seconds - samples[samples.Count / 3].Seconds) / 60;

    private static double AllocatedPerRequest(List<SoakSample> samples) =>
        (samples[^1].AllocatedBytes - samples[0].AllocatedBytes) / (double)(samples[^1].Requests - samples[0].Requests);

    private static double Usual(List<SoakSample> samples, Func<SoakSample, double> figure) => PairedRatio.MedianOf(samples.Select(figure));
}
