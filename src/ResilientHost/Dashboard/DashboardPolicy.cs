namespace ResilientHost.Dashboard;

/// <summary>What bounds the dashboard. Immutable.</summary>
internal sealed class DashboardPolicy(DashboardOptions options)
{
    public bool KeepsHistory { get; init; } = options.KeepHistory;

    public int MaxCircuits { get; } = options.MaxCircuits;

    public int MaxStreams { get; } = options.MaxStreams;

    public int MaxStreamsPerUser { get; } = options.MaxStreamsPerUser;

    public TimeSpan Heartbeat { get; } = options.Heartbeat;
}
