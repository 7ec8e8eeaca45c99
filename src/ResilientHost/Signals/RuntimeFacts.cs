namespace ResilientHost.Signals;

/// <summary>The runtime of this process.</summary>
/// <remarks>
/// Not thread-safe: for the sampler's thread. Allocation-free but for one small object (288 bytes) in the first reading after a garbage collection.
/// </remarks>
internal sealed class RuntimeFacts : IRuntimeFacts
{
    private long _pausesWhenRead = -1;
    private long _committed;
    private long _limit;

    public int ProcessorCount => Environment.ProcessorCount;

    public TimeSpan CpuTime => Environment.CpuUsage.TotalTime;

    public TimeSpan GcPauses => GC.GetTotalPauseDuration();

    public long HeapBytes => GC.GetTotalMemory(forceFullCollection: false);

    public long CommittedBytes
    {
        get
        {
            Refresh();
            return _committed;
        }
    }

    public long HeapLimitBytes
    {
        get
        {
            Refresh();
            return _limit;
        }
    }

    public int FullCollections => GC.CollectionCount(GC.MaxGeneration);

    public void Collect() => GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: false);

    public long LockContentions => Monitor.LockContentionCount;

    public long PendingWorkItems => ThreadPool.PendingWorkItemCount;

    public int PageSize => Environment.SystemPageSize;

    public void Queue(IThreadPoolWorkItem item) => ThreadPool.UnsafeQueueUserWorkItem(item, preferLocal: false);

    private void Refresh()
    {
        // The numbers only change with a collection, every collection pauses, and asking allocates.
        var pauses = GC.GetTotalPauseDuration().Ticks;
        if (pauses != _pausesWhenRead)
        {
            var info = GC.GetGCMemoryInfo(GCKind.Any);
            (_pausesWhenRead, _committed, _limit) = (pauses, info.TotalCommittedBytes, info.TotalAvailableMemoryBytes);
        }
    }
}
