namespace ResilientHost.Benchmarks.Sizes;

/// <summary>All that is followed, in the order of the tables.</summary>
internal static class SizeStudies
{
    public static IReadOnlyList<SizeStudy> All { get; } =
        [new BreakerSizes(), new PartitionSizes(), new EndpointSizes(), new WorkerSizes(), new ListenerSizes(), new ThreadSizes()];
}
