namespace ResilientHost;

/// <summary>Takes every layer but recovery off a controller, an action or a route handler.</summary>
/// <remarks>A failure there still becomes a problem answer; no circuit counts it and no bulkhead limits it.</remarks>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Method)]
public sealed class DisableResilienceAttribute : Attribute, IDisableResilienceMetadata;
