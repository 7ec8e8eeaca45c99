namespace ResilientHost.Bulkheads;

/// <summary>Refusals for a caller's own share; they outlive the shares of a bulkhead that is told not to tell callers apart any more.</summary>
/// <remarks>Thread-safe.</remarks>
internal sealed class FairShareCounts
{
    private long _refused;
    private long _shadowRefused;

    public long Refused => Interlocked.Read(ref _refused);

    /// <summary>Calls that Shadow admitted.</summary>
    public long ShadowRefused => Interlocked.Read(ref _shadowRefused);

    public void CountRefused() => Interlocked.Increment(ref _refused);

    public void CountShadowRefused() => Interlocked.Increment(ref _shadowRefused);
}
