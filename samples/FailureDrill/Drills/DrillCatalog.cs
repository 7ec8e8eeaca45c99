namespace FailureDrill.Drills;

/// <summary>Every drill, in the order in which they run.</summary>
internal static class DrillCatalog
{
    public static IReadOnlyList<Drill> All { get; } =
    [
        new ExceptionStorm(),
        new ExceptionAfterStart(),
        new SlowEndpoint(),
        new Flood(),
        new ClientAborts(),
        new Recovery(),
        new BadReload(),
        new DependencyHangs(),
        new DependencyDown(),
        new TimeoutIgnored(),
        new FallbackFails(),
        new AnonymousCaller(),
    ];

    public static Drill? Find(string name) =>
        All.FirstOrDefault(drill => string.Equals(drill.Name, name, StringComparison.OrdinalIgnoreCase));
}
