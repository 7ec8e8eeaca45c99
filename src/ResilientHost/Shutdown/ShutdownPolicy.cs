namespace ResilientHost.Shutdown;

/// <summary>How the host goes. Immutable.</summary>
internal sealed class ShutdownPolicy(ShutdownOptions options)
{
    public bool Enabled { get; init; } = options.Enabled;

    public TimeSpan ReadinessDelay { get; } = options.ReadinessDelay;
}
