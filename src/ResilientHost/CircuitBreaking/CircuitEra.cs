namespace ResilientHost.CircuitBreaking;

/// <summary>
/// The time between two changes of state, with everything that ends with it: the window of a closed era, the probes of a
/// half-open one, the end of an open one. A breaker holds one reference; swapping it changes state, resets the counts and
/// outdates the permits of the era before at once.
/// </summary>
/// <remarks>
/// Immutable but for <see cref="Due"/>, written under the breaker's lock. A reload swaps in an era of the same number with
/// the new policy.
/// </remarks>
internal sealed class CircuitEra
{
    /// <summary>Value of <see cref="Due"/> when time changes nothing.</summary>
    public const long Never = long.MaxValue;

    private long _due;

    public required long Number { get; init; }

    public required CircuitState State { get; init; }

    public required CircuitPolicy Policy { get; init; }

    /// <summary>Timestamp at which the era began.</summary>
    public required long Since { get; init; }

    /// <summary>Counts of a closed era; null otherwise.</summary>
    public CircuitWindow? Window { get; init; }

    /// <summary>Probes of a half-open era; null otherwise.</summary>
    public CircuitProbes? Probes { get; init; }

    /// <summary>Timestamp at which time alone ends the era: the end of the break, or of the oldest probe's patience.</summary>
    public long Due
    {
        get => Volatile.Read(ref _due);
        set => Volatile.Write(ref _due, value);
    }

    /// <summary>Whether calls pass without a look at anything else.</summary>
    public bool AdmitsAll { get; private init; }

    public static CircuitEra Create(
        long number,
        CircuitState state,
        CircuitPolicy policy,
        long since,
        CircuitWindow? window,
        CircuitProbes? probes,
        long due)
    {
        return new CircuitEra
        {
            Number = number,
            State = state,
            Policy = policy,
            Since = since,
            Window = window,
            Probes = probes,
            Due = due,
            AdmitsAll = state == CircuitState.Closed && policy.Mode != CircuitMode.Disabled,
        };
    }
}
