namespace ResilientHost.Degradation;

/// <summary>Which share of the requests of a criticality is turned down.</summary>
internal static class ShedRatio
{
    /// <summary>The rest always passes: without it nobody would see that things are well again, neither caller nor breaker nor dashboard.</summary>
    public const double Highest = 0.99;

    /// <summary>What is turned down of the default criticality where its trickle begins.</summary>
    public const double DefaultAtEssential = 0.90;

    /// <summary>0 to <see cref="Highest"/>, growing with severity; never anything of what is critical.</summary>
    public static double Of(Criticality criticality, double severity) => criticality switch
    {
        Criticality.Sheddable => Math.Clamp(severity, 0, Highest),
        Criticality.Default when severity <= 1 => 0,
        Criticality.Default when severity <= 2 => DefaultAtEssential * (severity - 1),
        Criticality.Default => Math.Min(DefaultAtEssential + ((1 - DefaultAtEssential) * (severity - 2)), Highest),
        _ => 0,
    };
}
