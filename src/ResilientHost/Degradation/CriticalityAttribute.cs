namespace ResilientHost;

/// <summary>Says how much the endpoint matters when the service cannot serve every request.</summary>
/// <param name="criticality">The criticality.</param>
/// <exception cref="ArgumentOutOfRangeException"><paramref name="criticality"/> is not one of the enumeration's values.</exception>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Method)]
public sealed class CriticalityAttribute(Criticality criticality) : Attribute, ICriticalityMetadata
{
    /// <inheritdoc/>
    public Criticality Criticality { get; } = CriticalityMetadata.Checked(criticality);
}
