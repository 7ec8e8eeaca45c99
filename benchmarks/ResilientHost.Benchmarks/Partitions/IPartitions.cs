namespace ResilientHost.Benchmarks.Partitions;

/// <summary>A circuit and a share of a limit for each key, made with the key's first call.</summary>
internal interface IPartitions
{
    /// <summary>One call that goes well.</summary>
    void Call(string key);

    /// <summary>Lets time pass, and everything be done that later calls do for those who are idle.</summary>
    void Rest(IReadOnlyList<string> keys);
}
