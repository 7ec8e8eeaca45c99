namespace ResilientHost.CircuitBreaking;

/// <summary>What configuration says about circuit breakers: those with a name, and the automatic ones of endpoints.</summary>
internal sealed record CircuitBreakerSettings(IReadOnlyDictionary<string, CircuitBreakerOptions> Named, CircuitBreakerOptions ForEndpoints);
