namespace ResilientHost;

/// <summary>Where a circuit stands.</summary>
public enum CircuitState
{
    /// <summary>Calls pass and their outcomes are counted.</summary>
    Closed,

    /// <summary>Calls are refused until the break has elapsed.</summary>
    Open,

    /// <summary>A few probes pass; their outcomes decide between <see cref="Closed"/> and <see cref="Open"/>.</summary>
    HalfOpen,

    /// <summary>Opened by hand: calls are refused until <see cref="CircuitBreaker.Reset"/>.</summary>
    Isolated,
}
