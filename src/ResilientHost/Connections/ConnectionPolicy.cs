namespace ResilientHost.Connections;

/// <summary>Which new connections are taken; immutable, built once per change of <see cref="ConnectionOptions"/>.</summary>
/// <param name="options">Valid options.</param>
internal sealed class ConnectionPolicy(ConnectionOptions options)
{
    public bool Enabled { get; init; } = options.Enabled;

    /// <summary>Descriptors to keep free, before it is known how many there are.</summary>
    public int ReservedDescriptors { get; } = options.ReservedDescriptors;

    /// <summary><see langword="null"/>: no limit.</summary>
    public int? SurvivalConnectionsPerSecond { get; } = options.SurvivalConnectionsPerSecond;

    /// <summary>Descriptors to keep free of so many: the default must leave a process that may have only 128 something to work with.</summary>
    public int ReserveOf(int limit) => Math.Min(ReservedDescriptors, limit / 4);
}
