namespace ResilientHost;

/// <summary>How much it matters that a request is served when the service cannot serve all of them.</summary>
/// <remarks>An endpoint that says nothing is <see cref="Default"/>.</remarks>
public enum Criticality
{
    /// <summary>May be turned down first: recommendations, prefetches, reports.</summary>
    Sheddable,

    /// <summary>Turned down after everything sheddable.</summary>
    Default,

    /// <summary>Never turned down by degradation: checkout, sign-in.</summary>
    Critical,
}
