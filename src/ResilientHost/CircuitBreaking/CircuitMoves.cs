using System.Runtime.InteropServices;

namespace ResilientHost.CircuitBreaking;

/// <summary>One change of state, before it has a name and a wall-clock time.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct CircuitMove(CircuitState From, CircuitState To, CircuitTransitionCause Cause, long Era, long At);

/// <summary>The legal moves.</summary>
internal static class CircuitMoves
{
    /// <summary>Lets legal moves pass.</summary>
    /// <exception cref="InvalidOperationException">The move is not in the table.</exception>
    public static void Check(CircuitState from, CircuitState to)
    {
        if (!IsLegal(from, to))
        {
            throw new InvalidOperationException($"A circuit cannot go from {from} to {to}.");
        }
    }

    public static bool IsLegal(CircuitState from, CircuitState to) => (from, to) switch
    {
        (CircuitState.Closed, CircuitState.Open) => true,         // tripped, or opened by hand
        (CircuitState.Closed, CircuitState.Isolated) => true,
        (CircuitState.Open, CircuitState.HalfOpen) => true,       // the break elapsed
        (CircuitState.Open, CircuitState.Closed) => true,         // reset, or the end of ForcedOpen mode
        (CircuitState.Open, CircuitState.Isolated) => true,
        (CircuitState.HalfOpen, CircuitState.Open) => true,       // probes failed or never returned, or opened by hand
        (CircuitState.HalfOpen, CircuitState.Closed) => true,     // probes succeeded, or reset
        (CircuitState.HalfOpen, CircuitState.Isolated) => true,
        (CircuitState.Isolated, CircuitState.Closed) => true,     // reset
        (CircuitState.Isolated, CircuitState.Open) => true,       // reset in ForcedOpen mode
        _ => false,
    };
}
