namespace ResilientHost;

/// <summary>How a protected call ended, as the layers around it count it.</summary>
public enum CallOutcome
{
    /// <summary>The call did its work. Inbound: any answer below 500.</summary>
    Succeeded,

    /// <summary>The call failed: it threw, answered 500 or above, or our own timeout ended it.</summary>
    Failed,

    /// <summary>
    /// The call says nothing about the protected thing: the caller cancelled, the client left, or another layer refused.
    /// Counted neither as success nor as failure; whatever the call held is given back.
    /// </summary>
    Ignored,
}
