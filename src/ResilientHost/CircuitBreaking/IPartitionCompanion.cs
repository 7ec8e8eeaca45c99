namespace ResilientHost.CircuitBreaking;

/// <summary>What lives and ends with one partition of a <see cref="CircuitBreakerPartitions{TKey}"/>: there is one bound and one decision who has to go.</summary>
/// <remarks>All members are called under the set's lock: they must be quick, and must not ask the set.</remarks>
internal interface IPartitionCompanion
{
    /// <summary>Whether nothing would be lost with it.</summary>
    bool IsIdle { get; }

    /// <summary>Whether it was used since it was last asked this.</summary>
    bool TakeAsked();

    /// <summary>Its partition has been given away.</summary>
    void Evicted();
}
