namespace ResilientHost.Signals;

/// <summary>What the runtime tells of the process.</summary>
/// <remarks>Reading allocates nothing, but for what <see cref="RuntimeFacts"/> says of itself.</remarks>
internal interface IRuntimeFacts
{
    /// <summary>Processors that the process may use.</summary>
    int ProcessorCount { get; }

    /// <summary>Processor time that the process has used, in all its threads.</summary>
    TimeSpan CpuTime { get; }

    /// <summary>Time for which garbage collection has held every thread.</summary>
    TimeSpan GcPauses { get; }

    /// <summary>Bytes of the managed heap in use.</summary>
    long HeapBytes { get; }

    /// <summary>Bytes that the garbage collector holds from the system, as of the last collection.</summary>
    long CommittedBytes { get; }

    /// <summary>Bytes that the managed heap may grow to.</summary>
    long HeapLimitBytes { get; }

    /// <summary>Collections of the whole heap so far.</summary>
    int FullCollections { get; }

    /// <summary>Asks for a collection of the whole heap beside the running threads.</summary>
    void Collect();

    /// <summary>Locks that a thread had to wait for.</summary>
    long LockContentions { get; }

    /// <summary>Work items that wait for a thread of the pool.</summary>
    long PendingWorkItems { get; }

    /// <summary>Bytes of a page of memory.</summary>
    int PageSize { get; }

    /// <summary>Queues behind everything that waits for a thread of the pool.</summary>
    void Queue(IThreadPoolWorkItem item);
}
