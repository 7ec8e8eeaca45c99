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
internal class CircuitEra
{
    /// <summary>Value of <see cref="Due"/> when time changes nothing.</summary>
    public const long Never = long.MaxValue;

    private CircuitEra(long number, CircuitState state, CircuitPolicy policy, long since, CircuitWindow? window)
    {
        Number = number;
        State = state;
        Policy = policy;
        Since = since;
        Window = window;
        AdmitsAll = state == CircuitState.Closed && policy.Mode != CircuitMode.Disabled;
        RefusesAll = state is CircuitState.Open or CircuitState.Isolated && policy.IsEnforcing;
        MeasuresCalls = policy.MeasuresCalls;
    }

    public long Number { get; }

    public CircuitState State { get; }

    public CircuitPolicy Policy { get; }

    /// <summary>Timestamp at which the era began.</summary>
    public long Since { get; }

    /// <summary>Counts of a closed era; null otherwise.</summary>
    public CircuitWindow? Window { get; }

    /// <summary>Probes of a half-open era; null otherwise.</summary>
    public CircuitProbes? Probes => this is Broken broken ? broken.InHalfOpen : null;

    /// <summary>Timestamp at which time alone ends the era: the end of the break, or of the oldest probe's patience. A closed era's stays <see cref="Never"/>.</summary>
    public long Due
    {
        get => this is Broken broken ? Volatile.Read(ref broken.End) : Never;
        set => Volatile.Write(ref ((Broken)this).End, value);
    }

    /// <summary>Whether calls pass without a look at anything else.</summary>
    public bool AdmitsAll { get; }

    /// <summary>Whether no call passes as long as the era lasts.</summary>
    public bool RefusesAll { get; }

    /// <summary>As the policy says; here, a call need not fetch the policy to enter.</summary>
    public bool MeasuresCalls { get; }

    public static CircuitEra Create(
        long number,
        CircuitState state,
        CircuitPolicy policy,
        long since,
        CircuitWindow? window,
        CircuitProbes? probes,
        long due) =>
        state == CircuitState.Closed
            ? new CircuitEra(number, state, policy, since, window)
            : new Broken(number, state, policy, since, probes, due);

    // Nearly all circuits are closed all the time, and the time of a closed one has no end to be kept.
    private sealed class Broken(long number, CircuitState state, CircuitPolicy policy, long since, CircuitProbes? probes, long due)
        : CircuitEra(number, state, policy, since, window: null)
    {
        public long End = due;

        public CircuitProbes? InHalfOpen { get; } = probes;
    }
}
