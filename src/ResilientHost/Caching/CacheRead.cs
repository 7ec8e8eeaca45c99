namespace ResilientHost.Caching;

/// <summary>What a read found.</summary>
internal enum CacheRead
{
    /// <summary>A fresh value in this process' memory.</summary>
    Hit,

    /// <summary>A fresh value in the distributed cache.</summary>
    DistributedHit,

    /// <summary>Nothing: the factory gave the value, or was not to be asked.</summary>
    Miss,

    /// <summary>That there is no value.</summary>
    NegativeHit,

    /// <summary>A stale value, in place of the factory's.</summary>
    Stale,

    /// <summary>A key that cannot be.</summary>
    Filtered,

    /// <summary>Neither the factory's value nor a stale one.</summary>
    Failed,
}
