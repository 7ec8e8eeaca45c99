using ResilientHost.Signals;

namespace ResilientHost.Tests.Signals;

/// <summary>A runtime that says what a test wants, and a pool that runs an item when told to.</summary>
internal sealed class FakeRuntime : IRuntimeFacts
{
    public int ProcessorCount { get; set; } = 4;

    public TimeSpan CpuTime { get; set; }

    public TimeSpan GcPauses { get; set; }

    public long HeapBytes { get; set; } = 10;

    public long CommittedBytes { get; set; } = 10;

    public long HeapLimitBytes { get; set; } = 100;

    public int FullCollections { get; set; }

    public int TimesCollected { get; private set; }

    public long LockContentions { get; set; }

    public long PendingWorkItems { get; set; }

    public int PageSize => 4096;

    public IThreadPoolWorkItem? Queued { get; private set; }

    public int TimesQueued { get; private set; }

    public Exception? PoolFails { get; set; }

    public void Collect() => TimesCollected++;

    public void Queue(IThreadPoolWorkItem item)
    {
        TimesQueued++;
        Queued = item;
        if (PoolFails is not null)
        {
            throw PoolFails;
        }
    }

    public void RunQueued()
    {
        var item = Queued.ShouldNotBeNull();
        Queued = null;
        item.Execute();
    }
}
