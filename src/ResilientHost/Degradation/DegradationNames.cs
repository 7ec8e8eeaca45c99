namespace ResilientHost.Degradation;

/// <summary>The slice's enumerations as tags show them.</summary>
internal static class DegradationNames
{
    public static string Of(ServiceLevel level) => level switch
    {
        ServiceLevel.Normal => "normal",
        ServiceLevel.Reduced => "reduced",
        ServiceLevel.Essential => "essential",
        ServiceLevel.Survival => "survival",
        _ => throw new ArgumentOutOfRangeException(nameof(level), level, "There is no such service level."),
    };

    public static string Of(Criticality criticality) => criticality switch
    {
        Criticality.Sheddable => "sheddable",
        Criticality.Default => "default",
        Criticality.Critical => "critical",
        _ => throw new ArgumentOutOfRangeException(nameof(criticality), criticality, "There is no such criticality."),
    };

    public static string Of(ServiceLevelCause cause) => cause switch
    {
        ServiceLevelCause.Overload => "overload",
        ServiceLevelCause.Recovery => "recovery",
        ServiceLevelCause.Override => "override",
        ServiceLevelCause.OverrideEnded => "override_ended",
        _ => throw new ArgumentOutOfRangeException(nameof(cause), cause, "There is no such cause."),
    };
}
