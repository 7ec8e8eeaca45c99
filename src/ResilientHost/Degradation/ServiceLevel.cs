namespace ResilientHost;

/// <summary>How much of the service is being offered, best first.</summary>
public enum ServiceLevel
{
    /// <summary>Everything.</summary>
    Normal,

    /// <summary>Everything but what is sheddable.</summary>
    Reduced,

    /// <summary>What is critical, and a trickle of the rest.</summary>
    Essential,

    /// <summary>What is critical only.</summary>
    Survival,
}
