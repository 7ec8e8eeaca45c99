namespace ResilientHost;

/// <summary>How new connections are limited before they cost what open ones need. Bound from <c>Resilience:Connections</c>.</summary>
/// <remarks>Not thread-safe; read once per change of configuration.</remarks>
public sealed class ConnectionOptions
{
    /// <summary>The layer's kill switch.</summary>
    /// <value>Default <see langword="true"/>; reloads.</value>
    public bool Enabled { get; set; } = true;

    /// <summary>File descriptors that are kept free: with fewer left, new connections are closed as soon as they are accepted. A .NET process that runs out of descriptors dies.</summary>
    /// <value>0 (no reserve) to 100,000; default 64, and at most a quarter of the process's limit. Where the limit cannot be read (anywhere but on Linux) it has no effect. Reloads.</value>
    public int ReservedDescriptors { get; set; } = 64;

    /// <summary>New connections that are taken per second at <see cref="ServiceLevel.Survival"/>; what comes beyond is closed.</summary>
    /// <value>1 to 1,000,000 connections per second, <see langword="null"/> for no limit; default 500. Reloads.</value>
    public int? SurvivalConnectionsPerSecond { get; set; } = 500;
}
