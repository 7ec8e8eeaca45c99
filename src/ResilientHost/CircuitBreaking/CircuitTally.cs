namespace ResilientHost.CircuitBreaking;

/// <summary>What a circuit counts beside the calls of its window. Thread-safe; made when there is something to count.</summary>
internal sealed class CircuitTally
{
    private long _refused;
    private long _wouldHaveRefused;
    private long _late;

    public void CountRefused() => Interlocked.Increment(ref _refused);

    public void CountWouldHaveRefused() => Interlocked.Increment(ref _wouldHaveRefused);

    public void CountLate() => Interlocked.Increment(ref _late);

    /// <summary>Takes over what others counted.</summary>
    public void Add(long refused, long wouldHaveRefused, long late)
    {
        Interlocked.Add(ref _refused, refused);
        Interlocked.Add(ref _wouldHaveRefused, wouldHaveRefused);
        Interlocked.Add(ref _late, late);
    }

    public long ReadRefused() => Interlocked.Read(ref _refused);

    public long ReadWouldHaveRefused() => Interlocked.Read(ref _wouldHaveRefused);

    public long ReadLate() => Interlocked.Read(ref _late);
}
