namespace ResilientHost;

/// <summary>One change of a circuit's state.</summary>
/// <param name="Name">Name of the breaker.</param>
/// <param name="From">The state that was left.</param>
/// <param name="To">The state that was entered.</param>
/// <param name="Cause">Why.</param>
/// <param name="Era">Number of the era that was entered; grows by one with every change.</param>
/// <param name="At">
/// Wall-clock time of the change. A change that time alone brought about carries the moment it was due, not the moment it was
/// noticed.
/// </param>
public sealed record CircuitTransition(
    string Name,
    CircuitState From,
    CircuitState To,
    CircuitTransitionCause Cause,
    long Era,
    DateTimeOffset At)
{
    /// <summary>Trace of the call that brought the change about, 32 hexadecimal digits; <see langword="null"/> where time alone did, or the call had no trace.</summary>
    public string? TraceId { get; init; }
}
