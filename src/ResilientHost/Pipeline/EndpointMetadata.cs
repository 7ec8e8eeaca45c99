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

/// <summary>Endpoint metadata that says how much the endpoint matters when the service cannot serve every request.</summary>
public interface ICriticalityMetadata
{
    /// <summary>The criticality of requests to the endpoint.</summary>
    Criticality Criticality { get; }
}

/// <summary>Endpoint metadata that takes every layer but recovery off an endpoint.</summary>
public interface IDisableResilienceMetadata;

/// <summary>Endpoint metadata that says who answers when the endpoint cannot.</summary>
public interface IFallbackMetadata
{
    /// <summary>Name of a method of the handler's type; <see langword="null"/> when <see cref="Handler"/> is given.</summary>
    string? Method { get; }

    /// <summary>The fallback itself; <see langword="null"/> when <see cref="Method"/> names it. A <see cref="Microsoft.AspNetCore.Http.RequestDelegate"/> is called as it is, anything else is bound like a route handler.</summary>
    Delegate? Handler { get; }
}

/// <summary>Endpoint metadata that lets the last good response answer when the endpoint cannot.</summary>
public interface IStaleFallbackMetadata
{
    /// <summary>How old the response may be; 1 s to 7 days.</summary>
    TimeSpan MaxAge { get; }

    /// <summary>The query keys on which the response depends; <see langword="null"/>: those that the handler binds, all where that cannot be told.</summary>
    IReadOnlyList<string>? QueryKeys { get; }
}

/// <summary>Endpoint metadata that limits how long the endpoint may take until its response starts.</summary>
public interface ITimeoutMetadata
{
    /// <summary>More than zero and at most one day, or <see cref="System.Threading.Timeout.InfiniteTimeSpan"/> for none; <see langword="null"/>, or anything else, is an error at start.</summary>
    TimeSpan? Timeout { get; }
}

internal sealed record CircuitBreakerMetadata(string Name) : ICircuitBreakerMetadata;

internal sealed record BulkheadMetadata(string Name) : IBulkheadMetadata;

internal sealed record FallbackMetadata(Delegate Handler) : IFallbackMetadata
{
    string? IFallbackMetadata.Method => null;
}

internal sealed record StaleFallbackMetadata(TimeSpan MaxAge, IReadOnlyList<string>? QueryKeys) : IStaleFallbackMetadata;

internal sealed record TimeoutMetadata(TimeSpan? Timeout) : ITimeoutMetadata;

internal sealed record CriticalityMetadata(Criticality Criticality) : ICriticalityMetadata
{
    public static Criticality Checked(Criticality criticality) =>
        Enum.IsDefined(criticality) ? criticality : throw new ArgumentOutOfRangeException(nameof(criticality), criticality, "Not a criticality.");
}

internal sealed record DisableResilienceMetadata : IDisableResilienceMetadata;

internal static class PolicyName
{
    public static string Checked(string name)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        return name;
    }
}
