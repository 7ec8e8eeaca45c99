using ResilientHost.Hosting;
using Names = ResilientHost.ResilienceDiagnostics.SignalNames;

namespace ResilientHost.Signals;

/// <summary>The suite's own signals, as far as this machine gives them.</summary>
/// <remarks>
/// Not thread-safe: all sources are read by one thread, and share one buffer. Holds the kernel's files open (about ten descriptors in a container) until it is disposed; what a source
/// would read from them is <see cref="double.NaN"/> after that.
/// </remarks>
internal sealed class HostSignals : IDisposable
{
    private readonly List<ISignalSource> _sources = [];
    private readonly List<MissingSignal> _missing = [];
    private readonly List<IDisposable> _open = [];

    private HostSignals()
    {
    }

    /// <summary>What can be read here; each name at most once.</summary>
    public IReadOnlyList<ISignalSource> Sources => _sources;

    /// <summary>What cannot, and why.</summary>
    public IReadOnlyList<MissingSignal> Missing => _missing;

    /// <summary>Opens what there is on this machine. Never throws for what is not.</summary>
    public static HostSignals Create(MonotonicClock clock) => Create(new HostFiles(), new RuntimeFacts(), clock);

    /// <summary>Opens what there is. Never throws for what is not.</summary>
    public static HostSignals Create(IHostFiles files, IRuntimeFacts facts, MonotonicClock clock)
    {
        var signals = new HostSignals();
        var text = new HostText();
        var cgroups = new Cgroups(files);
        var quota = signals.Kept(new CpuQuota(files, cgroups.Of("cpu"), text));
        var memory = cgroups.Of("memory");
        var limit = signals.Kept(new MemoryLimit(files, memory, text));
        var use = signals.Kept(new MemoryUse(files, facts, clock, text, limit));

        signals._sources.Add(new CpuSignal(facts, clock, quota));
        signals.AddMemory(use, clock);
        signals._sources.Add(new GcPauseSignal(facts, clock));

        // The queue before the delay, whose reading puts an item of its own into that queue.
        signals._sources.Add(new ThreadPoolQueueSignal(facts));
        signals._sources.Add(new ThreadPoolDelaySignal(facts, clock));
        signals._sources.Add(new LockContentionSignal(facts, clock));
        signals.Add(Names.FileDescriptors, FileDescriptorSignal.TryCreate(files, text, clock, out var why), why);

        var unified = cgroups.Unified();
        signals.AddPressure(Names.CpuPressure, full: false, "cpu", unified, files, text, clock);
        signals.AddPressure(Names.MemoryPressure, full: true, "memory", unified, files, text, clock);

        var limited = limit.TightestDirectory();
        signals.Add(
            Names.MemoryEvents,
            limited is null ? null : MemoryEventsSignal.TryCreate(files, limited, memory!.IsUnified, text, clock),
            "no memory control group that counts them");
        return signals;
    }

    /// <summary>Closes the files.</summary>
    public void Dispose()
    {
        foreach (var open in _open)
        {
            open.Dispose();
        }
    }

    private void AddMemory(MemoryUse use, MonotonicClock clock)
    {
        if (double.IsNaN(use.Present(clock.Timestamp())))
        {
            const string Why = "no limit of the heap, a control group or the machine is known";
            _missing.Add(new(Names.Memory, Why));
            _missing.Add(new(Names.MemoryProjected, Why));
            return;
        }

        _sources.Add(new MemorySignal(use));
        _sources.Add(new MemoryProjectedSignal(use));
    }

    private void AddPressure(string name, bool full, string resource, Cgroup? unified, IHostFiles files, HostText text, MonotonicClock clock)
    {
        var system = $"/proc/pressure/{resource}";
        string[] paths = unified is null ? [system] : [$"{unified.Directory}/{resource}.pressure", system];
        Add(name, PressureSignal.TryCreate(name, full, files, paths, text, clock), $"neither {string.Join(" nor ", paths)} tells it");
    }

    private void Add<T>(string name, T? source, string why)
        where T : class, ISignalSource, IDisposable
    {
        if (source is null)
        {
            _missing.Add(new(name, why));
        }
        else
        {
            _sources.Add(Kept(source));
        }
    }

    private T Kept<T>(T open)
        where T : IDisposable
    {
        _open.Add(open);
        return open;
    }
}
