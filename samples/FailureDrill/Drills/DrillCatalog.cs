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
        new CpuHog(),
        new MemoryPressure(),
        new PoolStarvation(),
        new MixedFlood(),
        new TenantFlood(),
        new WorkerCrashes(),
        new WorkerStuck(),
        new PoisonItems(),
        new RestartStorm(),
        new KilledProcess(),
        new UpstreamFlaky(),
        new UpstreamSlow(),
        new ConnectionResets(),
        new TruncatedBody(),
        new ExpiredCertificate(),
        new RetryStorm(),
        new DatabaseFrozen(),
        new CacheStampede(),

        // Only there is a process asked to stop by a signal.
        .. OperatingSystem.IsWindows() ? Array.Empty<Drill>() : [new StoppedUnderLoad()],

        // Only there can the limit be lowered for one process, and read by it.
        .. OperatingSystem.IsLinux() ? [new DescriptorExhaustion()] : Array.Empty<Drill>(),
    ];

    public static Drill? Find(string name) =>
        All.FirstOrDefault(drill => string.Equals(drill.Name, name, StringComparison.OrdinalIgnoreCase));
}
