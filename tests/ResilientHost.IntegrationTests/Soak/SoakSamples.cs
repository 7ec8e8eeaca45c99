using System.Diagnostics;

namespace ResilientHost.IntegrationTests.Soak;

/// <summary>What the process holds while no request is on its way.</summary>
/// <param name="Seconds">Since the start.</param>
/// <param name="Requests">Requests that had ended.</param>
/// <param name="HeapBytes">Living objects of the managed heap after full collections and finalizers.</param>
/// <param name="TotalMemoryBytes">
/// What <see cref="GC.GetTotalMemory"/> says of the same. Not judged: free space around pinned buffers moves it by megabytes.
/// </param>
/// <param name="WorkingSetBytes">Memory of the process.</param>
/// <param name="Threads">Threads of the process.</param>
/// <param name="Descriptors">Open descriptors (Linux) or handles.</param>
internal sealed record SoakSample(double Seconds, long Requests, long HeapBytes, long TotalMemoryBytes, long WorkingSetBytes, int Threads, int Descriptors)
{
    public static SoakSample Take(TimeSpan since, long requests)
    {
        // Twice: what the first round finalizes may hold what the second one frees.
        GC.GetTotalMemory(forceFullCollection: true);
        var total = GC.GetTotalMemory(forceFullCollection: true);
        var memory = GC.GetGCMemoryInfo(GCKind.FullBlocking);
        using var process = Process.GetCurrentProcess();
        var descriptors = OperatingSystem.IsLinux() ? Directory.GetFileSystemEntries("/proc/self/fd").Length : process.HandleCount;
        return new(since.TotalSeconds, requests, memory.HeapSizeBytes - memory.FragmentedBytes, total, process.WorkingSet64, process.Threads.Count, descriptors);
    }
}

/// <summary>How a figure went over the samples, by the requests done.</summary>
/// <param name="PerRequest">Its slope after Theil and Sen: the median slope of all pairs of samples. Up to 29 % of the samples may lie anywhere without moving it far.</param>
/// <param name="Growth">That slope over all requests of the samples.</param>
/// <param name="Median">Its median.</param>
/// <param name="Lowest">Its lowest value.</param>
/// <param name="Highest">Its highest value.</param>
internal sealed record SoakTrend(double PerRequest, double Growth, double Median, double Lowest, double Highest)
{
    public static SoakTrend Of(IReadOnlyList<SoakSample> samples, Func<SoakSample, double> figure)
    {
        var values = samples.Select(figure).ToArray();
        var slopes =
            from first in Enumerable.Range(0, samples.Count)
            from second in Enumerable.Range(first + 1, samples.Count - first - 1)
            where samples[second].Requests > samples[first].Requests
            select (values[second] - values[first]) / (samples[second].Requests - samples[first].Requests);
        var perRequest = MedianOf(slopes);
        return new(perRequest, perRequest * (samples[^1].Requests - samples[0].Requests), MedianOf(values), values.Min(), values.Max());
    }

    private static double MedianOf(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted.Length == 0 ? 0 : (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }
}

/// <summary>The soak as data; written after each sample, so that a process that is lost leaves how far it came.</summary>
internal sealed record SoakReport
{
    public required string Runtime { get; init; }

    public required double Minutes { get; init; }

    /// <summary>The load has ended and everything was looked at. False in what a lost process leaves behind.</summary>
    public bool IsFinished { get; init; }

    public long Requests { get; init; }

    public long MeasuredRequests { get; init; }

    public int Reloads { get; init; }

    public int Collections { get; init; }

    public double CollectionPauseSeconds { get; init; }

    public long UnobservedExceptions { get; init; }

    public SoakTrend? Heap { get; init; }

    public SoakTrend? WorkingSet { get; init; }

    public SoakTrend? Threads { get; init; }

    public SoakTrend? Descriptors { get; init; }

    public IReadOnlyCollection<string> Held { get; init; } = [];

    public IReadOnlyCollection<string> Unexpected { get; init; } = [];

    public IReadOnlyDictionary<string, long> Logged { get; init; } = new Dictionary<string, long>();

    public IReadOnlyDictionary<string, SortedDictionary<string, long>> Answers { get; init; } = new Dictionary<string, SortedDictionary<string, long>>();

    /// <summary>Taken after the warm-up.</summary>
    public IReadOnlyList<SoakSample> Samples { get; init; } = [];

    public string Summary() =>
        $"""
        {Requests} requests in {Minutes:0.#} minutes, {Reloads} reloads, {Collections} collections ({CollectionPauseSeconds:0.0} s), {UnobservedExceptions} unobserved exceptions; {Runtime}
        after the warm-up, {Samples.Count} samples over {MeasuredRequests} requests, no request on its way:
          heap        {Mib(Heap)}; {Heap?.PerRequest:+0.000;-0.000;0} B a request
          working set {Mib(WorkingSet)}
          threads     {Count(Threads)}
          descriptors {Count(Descriptors)}
        held at the end: {(Held.Count == 0 ? "nothing" : string.Join(", ", Held))}; unexpected answers: {Unexpected.Count}
        {string.Join('\n', Answers.Select(static endpoint => $"  {endpoint.Key,-18} {string.Join(" · ", endpoint.Value.Select(static answer => $"{answer.Key}: {answer.Value}"))}"))}
        """;

    private static string Mib(SoakTrend? trend) => trend is null ? "-"
        : $"median {trend.Median / 1048576:0.00} MiB ({trend.Lowest / 1048576:0.00} to {trend.Highest / 1048576:0.00}), trend {trend.Growth / 1024:+0;-0;0} KiB";

    private static string Count(SoakTrend? trend) => trend is null ? "-" : $"median {trend.Median:0} ({trend.Lowest:0} to {trend.Highest:0}), trend {trend.Growth:+0.0;-0.0;0}";
}
