using ResilientHost.Hosting;

namespace ResilientHost.Signals;

/// <summary>Processor time of the process as a share of its quota, or of the cores where it may use them all.</summary>
/// <remarks>May exceed 1 for a moment, where a quota allows bursts.</remarks>
internal sealed class CpuSignal(IRuntimeFacts facts, MonotonicClock clock, CpuQuota quota) : ISignalSource
{
    private RateMeter _ticks = new(clock.Frequency);

    public string Name => ResilienceDiagnostics.SignalNames.Cpu;

    public double Read(long now) =>
        _ticks.Next(now, facts.CpuTime.Ticks) / TimeSpan.TicksPerSecond / Math.Min(quota.Cores(), facts.ProcessorCount);
}

/// <summary>Memory in use as a share of its limit.</summary>
internal sealed class MemorySignal(MemoryUse use) : ISignalSource
{
    public string Name => ResilienceDiagnostics.SignalNames.Memory;

    public double Read(long now) => use.Present(now);

    public void Confirm(long now) => use.Confirm(now);
}

/// <summary>Memory as it will be in 10 s, as a share of its limit.</summary>
internal sealed class MemoryProjectedSignal(MemoryUse use) : ISignalSource
{
    public string Name => ResilienceDiagnostics.SignalNames.MemoryProjected;

    public double Read(long now) => use.Projected(now);

    public void Confirm(long now) => use.Confirm(now);
}

/// <summary>Share of time for which garbage collection held every thread.</summary>
internal sealed class GcPauseSignal(IRuntimeFacts facts, MonotonicClock clock) : ISignalSource
{
    private RateMeter _ticks = new(clock.Frequency);

    public string Name => ResilienceDiagnostics.SignalNames.GcPause;

    /// <summary>At most 1: a pause may end between the timestamp and the counter.</summary>
    public double Read(long now) => Math.Min(_ticks.Next(now, facts.GcPauses.Ticks) / TimeSpan.TicksPerSecond, 1);
}

/// <summary>Work items that wait for a thread of the pool.</summary>
internal sealed class ThreadPoolQueueSignal(IRuntimeFacts facts) : ISignalSource
{
    public string Name => ResilienceDiagnostics.SignalNames.ThreadPoolQueue;

    public double Read(long now) => facts.PendingWorkItems is >= 0 and var items ? items : double.NaN;
}

/// <summary>Locks that threads had to wait for, per second.</summary>
internal sealed class LockContentionSignal(IRuntimeFacts facts, MonotonicClock clock) : ISignalSource
{
    private RateMeter _contentions = new(clock.Frequency);

    public string Name => ResilienceDiagnostics.SignalNames.LockContention;

    public double Read(long now) => _contentions.Next(now, facts.LockContentions);
}
