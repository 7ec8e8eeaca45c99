namespace ResilientHost.Degradation;

/// <summary>What signals ask of the service level; the worst of several decides.</summary>
internal enum SignalPressure
{
    /// <summary>All is well: less may be turned down.</summary>
    Falling,

    /// <summary>Between the thresholds: stay.</summary>
    Holding,

    /// <summary>Too much: more is to be turned down.</summary>
    Rising,
}
