using System.Runtime.InteropServices;

namespace ResilientHost.Degradation;

/// <summary>Moves severity, and the service level with it, as the signals ask. Pure: knows no clock; not thread-safe.</summary>
/// <remarks>
/// <para>An integrating controller: severity grows while there is pressure, shrinks while there is none, and stays in between, so it settles where what is let in fits, instead of swinging
/// between all and nothing. Level n covers the severities above n-1 up to n; level normal is severity zero.</para>
/// <para>Severity waits at the edge of its level until the level has been held for the dwell, and crosses one edge at a time. Normal is left after a dwell of uninterrupted pressure.</para>
/// </remarks>
internal sealed class ServiceLevelMachine
{
    /// <summary>How far inside a level its lower edge is: levels above normal always turn something down.</summary>
    private const double Edge = 0.001;

    /// <summary>Many small steps add up to a level but for this.</summary>
    private const double Rounding = 1e-9;

    private TimeSpan _last;
    private TimeSpan _levelSince;
    private TimeSpan _pressureSince;
    private SignalPressure? _pressure;

    /// <summary>0 to 3.</summary>
    public double Severity { get; private set; }

    public ServiceLevel Level { get; private set; }

    /// <summary>Takes what the signals ask for at one moment.</summary>
    /// <param name="now">Time since any fixed moment; one that lies before the last is taken for the last.</param>
    /// <param name="pressure">What they ask for.</param>
    /// <param name="policy">How fast to follow.</param>
    /// <returns>The move it made, if any.</returns>
    public ServiceLevelMove? Observe(TimeSpan now, SignalPressure pressure, DegradationPolicy policy)
    {
        now = now > _last || _pressure is null ? now : _last;

        // Only time with the same pressure at both ends counts: what happened while the process was suspended nobody knows.
        var elapsed = pressure == _pressure ? now - _last : TimeSpan.Zero;
        if (pressure != _pressure)
        {
            _levelSince = _pressure is null ? now : _levelSince;
            _pressure = pressure;
            _pressureSince = now;
        }

        _last = now;
        return pressure switch
        {
            SignalPressure.Rising => Rise(now, Step(elapsed, policy.RampUp), policy),
            SignalPressure.Falling => Fall(now, Step(elapsed, policy.RampDown), policy),
            _ => null,
        };
    }

    /// <summary>Back to normal, as if nothing had been observed.</summary>
    public void Reset()
    {
        _pressure = null;
        Severity = 0;
        Level = ServiceLevel.Normal;
    }

    private static double Step(TimeSpan elapsed, TimeSpan ramp) => ramp > TimeSpan.Zero ? elapsed / ramp : double.PositiveInfinity;

    private static double Rounded(double severity) => Math.Abs(severity - Math.Round(severity)) < Rounding ? Math.Round(severity) : severity;

    private ServiceLevelMove? Rise(TimeSpan now, double step, DegradationPolicy policy)
    {
        var target = Rounded(Severity + step);
        var upper = (double)Level;
        var heldSince = Level == ServiceLevel.Normal && _pressureSince > _levelSince ? _pressureSince : _levelSince;
        var mayCross = Level < ServiceLevel.Survival && now - heldSince >= policy.MinimumDwell && (target > upper || Level == ServiceLevel.Normal);
        if (!mayCross)
        {
            Severity = Math.Min(target, upper);
            return null;
        }

        Severity = Math.Clamp(target, upper + Edge, upper + 1);
        return MoveTo(Level + 1, now);
    }

    private ServiceLevelMove? Fall(TimeSpan now, double step, DegradationPolicy policy)
    {
        if (Level == ServiceLevel.Normal)
        {
            return null;
        }

        var target = Rounded(Severity - step);
        var lower = (double)(Level - 1);
        if (target > lower || now - _levelSince < policy.MinimumDwell)
        {
            Severity = Math.Max(target, lower + Edge);
            return null;
        }

        Severity = Level == ServiceLevel.Reduced ? 0 : Math.Max(target, lower - 1 + Edge);
        return MoveTo(Level - 1, now);
    }

    private ServiceLevelMove MoveTo(ServiceLevel level, TimeSpan now)
    {
        var move = new ServiceLevelMove(Level, level);
        (Level, _levelSince) = (level, now);
        return move;
    }
}

/// <summary>One step of the machine.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct ServiceLevelMove(ServiceLevel From, ServiceLevel To)
{
    public bool IsUp => To > From;
}
