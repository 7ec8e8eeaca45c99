namespace ResilientHost;

/// <summary>What a bulkhead does with a call that finds no room.</summary>
public enum BulkheadMode
{
    /// <summary>The call waits or is refused.</summary>
    Enforce,

    /// <summary>The call is admitted; only counts and telemetry tell that it would have waited or been refused.</summary>
    Shadow,

    /// <summary>Every call is admitted and none is counted.</summary>
    Disabled,
}
