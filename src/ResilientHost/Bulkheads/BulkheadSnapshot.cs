namespace ResilientHost;

/// <summary>A bulkhead at one moment. The values are read one after the other, without stopping the calls.</summary>
public sealed record BulkheadSnapshot
{
    /// <summary>Calls that may be inside at once; <see cref="int.MaxValue"/> without a limit.</summary>
    public int Limit { get; init; }

    /// <summary>Calls inside.</summary>
    public int InFlight { get; init; }

    /// <summary>Calls waiting.</summary>
    public int Queued { get; init; }

    /// <summary>Calls refused since construction, whether at once or after waiting. Would-be refusals in Shadow do not count.</summary>
    public long Refused { get; init; }
}
