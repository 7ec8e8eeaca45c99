namespace ResilientHost;

/// <summary>Takes every layer but recovery off a controller, an action or a route handler.</summary>
/// <remarks>A failure there still becomes a problem answer; it is not limited, counted by a circuit or measured.</remarks>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Method)]
public sealed class DisableResilienceAttribute : Attribute, IDisableResilienceMetadata;
