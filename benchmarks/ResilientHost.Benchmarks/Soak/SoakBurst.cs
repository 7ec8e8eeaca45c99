using ResilientHost.Benchmarks.Http;

namespace ResilientHost.Benchmarks.Soak;

/// <summary>One kind of request, asked for as fast as the service can answer.</summary>
/// <param name="Kind">The kind.</param>
/// <param name="Requests">Requests that were answered.</param>
/// <param name="Waits">Times that a thread of the service waited for a lock meanwhile, whoever's.</param>
/// <param name="OurWaits">Those of them that the library's code asked for.</param>
internal sealed record SoakBurst(string Kind, long Requests, int Waits, int OurWaits)
{
    private const int Seconds = 3;

    // Answered at once, and so without an end; what throws says so here, for exceptions are counted apart.
    private static readonly (string Kind, bool Throws)[] Kinds =
        [("ok", false), ("awaiting", false), ("tenant", false), ("outbound", false), ("stale", false), ("failing", false), ("refused", false), ("narrow", false), ("fallback", true), ("throwing", true)];

    public bool Throws => Array.Exists(Kinds, kind => kind.Kind == Kind && kind.Throws);

    /// <summary>One kind after the other: locks that requests meet at show when all processors are at the same one, not under a load that leaves them time.</summary>
    public static async Task<(IReadOnlyList<SoakBurst> Bursts, IReadOnlyList<Contention> Contentions)> MeasureAsync(ServerProcess service, CancellationToken cancellationToken)
    {
        List<(string Kind, long Requests, DateTime From, DateTime To)> runs = [];
        using var trace = new ContentionTrace(service.Id);
        foreach (var (name, _) in Kinds)
        {
            var kind = SoakTraffic.All.Single(kind => kind.Name == name);
            var from = DateTime.UtcNow;
            var report = await Wrk.RunAsync(new Uri(service.Address, SoakTraffic.PathOf(kind, number: 1)), Seconds, cancellationToken);
            runs.Add((name, report.Requests, from, DateTime.UtcNow));
        }

        var contentions = await trace.EndAsync(cancellationToken);
        return ([.. runs.Select(run =>
        {
            var meanwhile = contentions.Where(contention => contention.At >= run.From && contention.At < run.To).ToList();
            return new SoakBurst(run.Kind, run.Requests, meanwhile.Count, meanwhile.Count(contention => contention.IsOurs));
        })], contentions);
    }
}
