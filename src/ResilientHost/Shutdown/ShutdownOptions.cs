namespace ResilientHost;

/// <summary>How the host goes. Bound from <c>Resilience:Shutdown</c>.</summary>
/// <remarks>Not thread-safe; read once per change of configuration.</remarks>
public sealed class ShutdownOptions
{
    /// <summary>The kill switch: <see langword="false"/> leaves out the delay, and readiness as it is.</summary>
    /// <value>Default <see langword="true"/>; reloads.</value>
    public bool Enabled { get; set; } = true;

    /// <summary>How long requests are still served after readiness has turned to unhealthy, so that load balancers have seen it before connections are refused.</summary>
    /// <value>From 0 to 10 minutes; default 0 s; reloads. Must leave time within <c>HostOptions.ShutdownTimeout</c>.</value>
    public TimeSpan ReadinessDelay { get; set; }
}
