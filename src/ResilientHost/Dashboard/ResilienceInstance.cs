namespace ResilientHost.Dashboard;

/// <summary>Which replica this is, for people and for operations that mean one of several.</summary>
internal sealed class ResilienceInstance
{
    /// <summary>Machine and process id.</summary>
    public string Name { get; } = $"{Environment.MachineName}:{Environment.ProcessId}";
}
