namespace ResilientHost;

/// <summary>What a circuit breaker does with what it knows.</summary>
public enum CircuitMode
{
    /// <summary>Decides and refuses.</summary>
    Enforce,

    /// <summary>Decides, publishes and shows what <see cref="Enforce"/> would do; never refuses.</summary>
    Shadow,

    /// <summary>Admits every call and records nothing. The state it had is kept.</summary>
    Disabled,

    /// <summary>Open for as long as the mode lasts; leaving the mode closes the circuit.</summary>
    ForcedOpen,
}
