namespace ResilientHost;

/// <summary>Puts a controller, an action or a route handler behind the circuit breaker of that name.</summary>
/// <param name="name">A name under <c>Resilience:CircuitBreakers</c>; all that name it share one circuit.</param>
/// <remarks>
/// A name that configuration does not have is an error at start. The attribute beats what a group or <c>MapControllers()</c>
/// says; on a method it beats the one on the class.
/// </remarks>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Method)]
public sealed class CircuitBreakerAttribute(string name) : Attribute, ICircuitBreakerMetadata
{
    /// <inheritdoc/>
    public string Name { get; } = PolicyName.Checked(name);
}
