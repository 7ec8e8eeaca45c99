namespace ResilientHost.Degradation;

/// <summary>All signals side by side. Pure; not thread-safe.</summary>
/// <param name="tracks">One for each source, in the order of the readings.</param>
internal sealed class SignalBoard(IReadOnlyList<SignalTrack> tracks)
{
    private readonly SignalTrack[] _tracks = [.. tracks];

    /// <summary>The signal under the most strain at the last observation; <see langword="null"/> when none had a say.</summary>
    public string? Worst { get; private set; }

    /// <summary>Takes one reading of each signal.</summary>
    /// <param name="raw">In the order of the tracks.</param>
    /// <param name="elapsed">Time since the readings before.</param>
    /// <param name="policy">Smooths and compares.</param>
    /// <returns>What the worst of them asks for. When none has a say nothing speaks for turning requests down.</returns>
    public SignalPressure Observe(ReadOnlySpan<double> raw, TimeSpan elapsed, DegradationPolicy policy)
    {
        var pressure = SignalPressure.Falling;
        var strain = double.NegativeInfinity;
        Worst = null;
        for (var i = 0; i < _tracks.Length; i++)
        {
            var track = _tracks[i];
            track.Observe(raw[i], elapsed, policy);
            if (track.PressureIn(policy) is not { } asked)
            {
                continue;
            }

            pressure = asked > pressure ? asked : pressure;
            if (Worst is null || track.StrainIn(policy) > strain)
            {
                (Worst, strain) = (track.Name, track.StrainIn(policy));
            }
        }

        return pressure;
    }

    /// <summary>Whether that signal keeps the service level from falling.</summary>
    public bool Holds(int index, DegradationPolicy policy) => index < _tracks.Length && _tracks[index].PressureIn(policy) is SignalPressure.Rising or SignalPressure.Holding;

    public void Forget()
    {
        Worst = null;
        foreach (var track in _tracks)
        {
            track.Forget();
        }
    }

    public IReadOnlyList<SignalReading> Readings(DegradationPolicy policy) => Array.ConvertAll(_tracks, track => track.Reading(policy));
}
