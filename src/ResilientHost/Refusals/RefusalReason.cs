namespace ResilientHost;

/// <summary>Why a layer refused a call.</summary>
public enum RefusalReason
{
    /// <summary>The circuit is open, isolated, or half-open with every probe taken.</summary>
    CircuitOpen,

    /// <summary>The bulkhead has no free permit and no room in its queue.</summary>
    BulkheadFull,

    /// <summary>The call waited in a bulkhead's queue for as long as that bulkhead allows.</summary>
    QueueTimeout,

    /// <summary>The service is degraded and turned the call down because of its criticality.</summary>
    Shed,

    /// <summary>The call did not end within its timeout.</summary>
    Timeout,

    /// <summary>The caller's own deadline had passed before the work could start.</summary>
    DeadlineExceeded,

    /// <summary>A repair of critical state is pending.</summary>
    Repairing,
}
