namespace ResilientHost.Benchmarks.Http;

/// <summary>What a server did under a second of load.</summary>
/// <param name="Report">What the clients saw.</param>
/// <param name="CpuMicroseconds">CPU of the server for each request, in user and in kernel mode.</param>
internal sealed record LoadSlice(WrkReport Report, double CpuMicroseconds);

/// <summary>All slices of a mode.</summary>
internal sealed class LoadSlices
{
    private readonly Dictionary<(int Launch, int Round), LoadSlice> _kept = [];

    public IEnumerable<LoadSlice> Kept => _kept.Values;

    public int KeptCount => _kept.Count;

    /// <summary>Slices that others disturbed.</summary>
    public int Dropped { get; set; }

    public void Keep(int launch, int round, LoadSlice slice) => _kept.Add((launch, round), slice);

    /// <summary>By launch: ours and theirs of the rounds in which both were undisturbed, seconds apart.</summary>
    public IReadOnlyList<IReadOnlyList<(LoadSlice Ours, LoadSlice Theirs)>> PairedWith(LoadSlices others) =>
        [.. _kept.Where(slice => others._kept.ContainsKey(slice.Key)).GroupBy(slice => slice.Key.Launch, slice => (slice.Value, others._kept[slice.Key])).Select(launch => launch.ToList())];
}
