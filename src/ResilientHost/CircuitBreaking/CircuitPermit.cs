using System.Runtime.InteropServices;

namespace ResilientHost;

/// <summary>
/// What an admitted call holds between <see cref="CircuitBreaker.TryEnter(out CircuitPermit, out Refusal)"/> and
/// <see cref="CircuitBreaker.Exit(in CircuitPermit, CallOutcome)"/>.
/// </summary>
/// <remarks>
/// An immutable value; copies are the same permit. The default value is no permit: ending it does nothing. Give it back to the
/// breaker that issued it.
/// </remarks>
[StructLayout(LayoutKind.Auto)]
public readonly struct CircuitPermit
{
    // Not 0: a clock may well start at 0.
    private const long NotMeasured = long.MinValue;

    internal CircuitPermit(long era, long startedAt, int probe)
    {
        Era = era;
        StartedAt = startedAt;
        Probe = probe;
    }

    /// <summary>The era that issued the permit; 0 for the default permit. A result that arrives in a later era moves nothing.</summary>
    public long Era { get; }

    /// <summary>Whether the call is a probe of a half-open circuit, whose result is part of the verdict.</summary>
    public bool IsProbe => Probe != 0;

    /// <summary>Exact timestamp of the entry, or a mark that the duration is of no interest.</summary>
    internal long StartedAt { get; }

    /// <summary>Number of the probe within its era; 0 for other calls.</summary>
    internal int Probe { get; }

    internal bool IsMeasured => StartedAt != NotMeasured;

    internal static CircuitPermit Unmeasured(long era) => new(era, NotMeasured, 0);

    internal static CircuitPermit UnmeasuredProbe(long era, int probe) => new(era, NotMeasured, probe);
}
