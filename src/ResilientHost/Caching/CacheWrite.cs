namespace ResilientHost.Caching;

/// <summary>One write of a key to the distributed cache.</summary>
/// <param name="Envelope">What to keep; <see langword="null"/>: nothing.</param>
/// <param name="Lifetime">For how long.</param>
/// <param name="Timeout">How long that may take.</param>
/// <param name="Began">The stamp of what is written.</param>
/// <param name="Distrusted">Of a write or removal that the application asked for: what began up to here is out of date, and not believed any more if this fails; <see langword="null"/>: what is there stays as good as it was.</param>
internal sealed record CacheWrite(CacheEnvelope? Envelope, TimeSpan Lifetime, TimeSpan Timeout, long Began, long? Distrusted)
{
    /// <summary>This write, made instead of one that is never made: what that one put out of date stays so.</summary>
    public CacheWrite InPlaceOf(CacheWrite older) =>
        older.Distrusted is { } stamp && (Distrusted is null || Distrusted < stamp) ? this with { Distrusted = stamp } : this;
}
