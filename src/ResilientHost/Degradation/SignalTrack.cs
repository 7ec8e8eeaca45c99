namespace ResilientHost.Degradation;

/// <summary>The smoothed course of one signal: an exponential moving average over time, not over samples. Pure; not thread-safe.</summary>
/// <param name="name">The signal's name.</param>
/// <param name="own">Thresholds of an application's signal; those of the suite's own signals are the policy's.</param>
internal sealed class SignalTrack(string name, SignalThresholds? own = null)
{
    /// <summary>An average comes ever closer to its input and never arrives; what is within this share of the band has.</summary>
    private const double Nearness = 1e-3;

    public string Name { get; } = name;

    /// <summary>The smoothed value; <see cref="double.NaN"/> while there is none.</summary>
    public double Value { get; private set; } = double.NaN;

    public SignalThresholds ThresholdsIn(DegradationPolicy policy) => own ?? policy.ThresholdsOf(Name);

    /// <param name="raw">What was read. Anything that is not a finite number takes the signal's say away, and its past.</param>
    /// <param name="elapsed">Time since the reading before.</param>
    /// <param name="policy">Smooths and tells what near is.</param>
    public void Observe(double raw, TimeSpan elapsed, DegradationPolicy policy)
    {
        if (!double.IsFinite(raw) || double.IsNaN(Value))
        {
            Value = double.IsFinite(raw) ? raw : double.NaN;
            return;
        }

        var weight = policy.Smoothing > TimeSpan.Zero ? 1 - Math.Exp(-(elapsed / policy.Smoothing)) : 1;
        var next = Value + (weight * (raw - Value));
        var thresholds = ThresholdsIn(policy);

        // The difference of two huge numbers of different sign is none: without this the signal would be lost for good.
        var isFar = double.IsFinite(next) && Math.Abs(raw - next) > Nearness * (thresholds.Enter - thresholds.Exit);
        Value = isFar ? next : raw;
    }

    public void Forget() => Value = double.NaN;

    /// <summary>What the signal asks for; <see langword="null"/> when it has no say.</summary>
    public SignalPressure? PressureIn(DegradationPolicy policy)
    {
        var (enter, exit, isEnabled) = ThresholdsIn(policy);
        return !isEnabled || double.IsNaN(Value) ? null
            : Value >= enter ? SignalPressure.Rising
            : Value <= exit ? SignalPressure.Falling
            : SignalPressure.Holding;
    }

    /// <summary>How far the signal is from exit (0) to enter (1), and beyond: what makes signals of different units comparable.</summary>
    public double StrainIn(DegradationPolicy policy)
    {
        var (enter, exit, _) = ThresholdsIn(policy);
        return (Value - exit) / (enter - exit);
    }

    public SignalReading Reading(DegradationPolicy policy)
    {
        var (enter, exit, isEnabled) = ThresholdsIn(policy);
        return new SignalReading(Name, double.IsNaN(Value) ? null : Value, enter, exit, isEnabled);
    }
}
