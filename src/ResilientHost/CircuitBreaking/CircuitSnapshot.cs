namespace ResilientHost;

/// <summary>What a circuit breaker knew at one moment.</summary>
/// <remarks>Immutable. Taken without stopping the traffic: counts of calls that end at the same moment may be in it or not.</remarks>
public sealed record CircuitSnapshot
{
    /// <summary>The state, derived from the time of the snapshot.</summary>
    public CircuitState State { get; init; }

    /// <summary>The mode in force.</summary>
    public CircuitMode Mode { get; init; }

    /// <summary>Number of the current era, from 1.</summary>
    public long Era { get; init; }

    /// <summary>When the current era began, wall clock.</summary>
    public DateTimeOffset Since { get; init; }

    /// <summary>Outcomes recorded in the current window, or probes answered in the current half-open era.</summary>
    public int Calls { get; init; }

    /// <summary>Those of <see cref="Calls"/> that failed.</summary>
    public int Failures { get; init; }

    /// <summary>Those of <see cref="Calls"/> that took at least <see cref="CircuitBreakerOptions.SlowCallDuration"/>.</summary>
    public int SlowCalls { get; init; }

    /// <summary><see cref="Failures"/> by <see cref="Calls"/>, 0 to 1; 0 without calls.</summary>
    public double FailureRatio { get; init; }

    /// <summary><see cref="SlowCalls"/> by <see cref="Calls"/>, 0 to 1; 0 without calls.</summary>
    public double SlowCallRatio { get; init; }

    /// <summary>Calls refused since construction. Shadow mode refuses none.</summary>
    public long Refused { get; init; }

    /// <summary>Results since construction that arrived in a later era than their permit's: counted here and nowhere else.</summary>
    public long LateResults { get; init; }

    /// <summary>What is left of the break; null unless open, and when the end is not known. Never negative.</summary>
    public TimeSpan? RetryAfter { get; init; }
}
