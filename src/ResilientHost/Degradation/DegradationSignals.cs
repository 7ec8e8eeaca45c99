using Names = ResilientHost.ResilienceDiagnostics.SignalNames;

namespace ResilientHost.Degradation;

/// <summary>The suite's own signals: which option belongs to which name.</summary>
internal static class DegradationSignals
{
    /// <summary>The names that the outside sees, in the order of the options.</summary>
    public static IReadOnlyList<string> All { get; } =
    [
        Names.Cpu, Names.Memory, Names.MemoryProjected, Names.GcPause, Names.ThreadPoolDelay, Names.ThreadPoolQueue, Names.LockContention,
        Names.FileDescriptors, Names.CpuPressure, Names.MemoryPressure, Names.MemoryEvents,
    ];

    /// <summary>By the name of the option.</summary>
    public static IEnumerable<(string Option, SignalOptions Thresholds)> Of(DegradationOptions options) =>
    [
        (nameof(options.Cpu), options.Cpu),
        (nameof(options.Memory), options.Memory),
        (nameof(options.MemoryProjected), options.MemoryProjected),
        (nameof(options.GcPause), options.GcPause),
        (nameof(options.ThreadPoolDelay), options.ThreadPoolDelay),
        (nameof(options.ThreadPoolQueue), options.ThreadPoolQueue),
        (nameof(options.LockContention), options.LockContention),
        (nameof(options.FileDescriptors), options.FileDescriptors),
        (nameof(options.CpuPressure), options.CpuPressure),
        (nameof(options.MemoryPressure), options.MemoryPressure),
        (nameof(options.MemoryEvents), options.MemoryEvents),
    ];

    /// <summary>The thresholds of a signal of the suite, by the name that the outside sees; <see langword="null"/> for one of the application's.</summary>
    public static SignalOptions? Find(DegradationOptions options, string signal) => signal switch
    {
        Names.Cpu => options.Cpu,
        Names.Memory => options.Memory,
        Names.MemoryProjected => options.MemoryProjected,
        Names.GcPause => options.GcPause,
        Names.ThreadPoolDelay => options.ThreadPoolDelay,
        Names.ThreadPoolQueue => options.ThreadPoolQueue,
        Names.LockContention => options.LockContention,
        Names.FileDescriptors => options.FileDescriptors,
        Names.CpuPressure => options.CpuPressure,
        Names.MemoryPressure => options.MemoryPressure,
        Names.MemoryEvents => options.MemoryEvents,
        _ => null,
    };
}
