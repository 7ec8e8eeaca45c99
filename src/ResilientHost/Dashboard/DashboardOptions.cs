namespace ResilientHost;

/// <summary>What bounds the dashboard. Bound from <c>Resilience:Dashboard</c>.</summary>
/// <remarks>Not thread-safe; read once per change of configuration. Does nothing in a service that maps no dashboard.</remarks>
public sealed class DashboardOptions
{
    /// <summary>Whether the dashboard keeps a history: of the last two minutes by second, of the last hour coarser.</summary>
    /// <value>Default <see langword="true"/>; reloads. <see langword="false"/>: the page shows what is now, and nothing is measured for it.</value>
    public bool KeepHistory { get; set; } = true;

    /// <summary>Most circuits whose history is kept; further ones are shown without.</summary>
    /// <value>From 1 to 10,000 circuits; default 500. A circuit with traffic takes about 6 KB, and where threads count at the same time 128 bytes more for each core, up to 8 KB.</value>
    public int MaxCircuits { get; set; } = 500;

    /// <summary>Most pages that are kept up to date at a time, of all users; a further one is refused with 503 and asks now and then instead. Where all are taken, one of an authenticated user takes the place of an anonymous one.</summary>
    /// <value>From 0 (none) to 10,000 streams; default 100.</value>
    public int MaxStreams { get; set; } = 100;

    /// <summary>Most pages of one user, by name or id, or by address who has none; a further one is refused with 429.</summary>
    /// <value>From 1 to 10,000 streams; default 10.</value>
    public int MaxStreamsPerUser { get; set; } = 10;

    /// <summary>How long a stream may be silent before a sign of life is sent, so that nobody between takes it for dead.</summary>
    /// <value>From 1 s to 5 minutes; default 15 s.</value>
    public TimeSpan Heartbeat { get; set; } = TimeSpan.FromSeconds(15);
}
