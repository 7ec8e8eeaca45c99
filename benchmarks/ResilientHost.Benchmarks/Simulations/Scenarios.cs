namespace ResilientHost.Benchmarks.Simulations;

/// <summary>What the adaptive limits are shown.</summary>
internal static class Scenarios
{
    private const double Service = 0.05;

    public static Scenario CapacityDrop { get; } = new(
        "capacity-drop", "Capacity drops from 40 servers to 15, and returns", 180, 1_000, [new(0, 40, Service), new(60, 15, Service), new(120, 40, Service)]);

    public static Scenario LatencyShift { get; } = new(
        "latency-shift", "Every call takes twice as long for a minute", 180, 1_000, [new(0, 40, Service), new(60, 40, 2 * Service), new(120, 40, Service)]);

    public static Scenario FastFailures { get; } = new(
        "fast-failures", "Half of the calls fail within a millisecond for a minute", 180, 1_000, [new(0, 40, Service), new(60, 40, Service, 0.5), new(120, 40, Service)]);

    /// <summary>Fewer calls than the servers could take.</summary>
    public static Scenario LightLoad { get; } = new(
        "light-load", "A third of what the servers can take", 120, 250, [new(0, 40, Service)]);

    /// <summary>More calls than fit, for long.</summary>
    public static Scenario LongOverload { get; } = new(
        "long-overload", "A quarter too many calls for twenty minutes", 1_200, 1_000, [new(0, 40, Service)]);

    public static IReadOnlyList<Scenario> All { get; } = [CapacityDrop, LatencyShift, FastFailures, LightLoad, LongOverload];
}
