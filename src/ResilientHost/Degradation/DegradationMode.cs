namespace ResilientHost;

/// <summary>What the service level that signals ask for does to requests.</summary>
public enum DegradationMode
{
    /// <summary>Requests are turned down by their criticality.</summary>
    Enforce,

    /// <summary>The level is decided, published and shown, and what would have been turned down is counted; nothing is.</summary>
    Shadow,
}
