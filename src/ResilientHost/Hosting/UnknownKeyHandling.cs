namespace ResilientHost;

/// <summary>What a key of the <c>Resilience</c> section that this version does not know means.</summary>
public enum UnknownKeyHandling
{
    /// <summary>The configuration is refused: at start the application does not start, at reload the last good configuration serves.</summary>
    Error,

    /// <summary>Each unknown key is logged once as a warning. For rollbacks with configuration shared between versions.</summary>
    Warn,
}
