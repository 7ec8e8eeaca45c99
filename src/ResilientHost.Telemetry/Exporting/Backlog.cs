namespace ResilientHost.Telemetry.Exporting;

/// <summary>How many items wait for an exporter or are being sent by it. The SDK's own queue drops silently when it is full; this one knows before. Thread-safe.</summary>
/// <param name="capacity">At most so many at once.</param>
/// <param name="overflowed">Told of each that there was no room for, on the thread that had it.</param>
internal sealed class Backlog(int capacity, Action overflowed)
{
    private int _count;

    public bool TryAdd()
    {
        if (Interlocked.Increment(ref _count) <= capacity)
        {
            return true;
        }

        Interlocked.Decrement(ref _count);
        overflowed();
        return false;
    }

    public void Remove(long items) => Interlocked.Add(ref _count, -(int)items);
}
