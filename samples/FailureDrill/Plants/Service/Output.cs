namespace FailureDrill.Plants.Service;

/// <summary>What each worker has done so far. Thread-safe.</summary>
internal sealed class Output
{
    private long _conveyed;
    private long _measured;
    private long _sorted;

    public long Conveyed => Interlocked.Read(ref _conveyed);

    public long Measured => Interlocked.Read(ref _measured);

    public long Sorted => Interlocked.Read(ref _sorted);

    public void Convey() => Interlocked.Increment(ref _conveyed);

    public void Measure() => Interlocked.Increment(ref _measured);

    public void Sort() => Interlocked.Increment(ref _sorted);
}
