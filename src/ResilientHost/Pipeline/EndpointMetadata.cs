namespace ResilientHost;

/// <summary>Endpoint metadata that names a circuit breaker.</summary>
public interface ICircuitBreakerMetadata
{
    /// <summary>A name under <c>Resilience:CircuitBreakers</c>.</summary>
    string Name { get; }
}

/// <summary>Endpoint metadata that names a bulkhead.</summary>
public interface IBulkheadMetadata
{
    /// <summary>A name under <c>Resilience:Bulkheads</c>.</summary>
    string Name { get; }
}

/// <summary>Endpoint metadata that takes every layer but recovery off an endpoint.</summary>
public interface IDisableResilienceMetadata;

internal sealed record CircuitBreakerMetadata(string Name) : ICircuitBreakerMetadata;

internal sealed record BulkheadMetadata(string Name) : IBulkheadMetadata;

internal sealed record DisableResilienceMetadata : IDisableResilienceMetadata;

internal static class PolicyName
{
    public static string Checked(string name)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        return name;
    }
}
