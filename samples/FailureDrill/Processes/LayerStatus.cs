namespace FailureDrill.Processes;

/// <summary>What the layers say of themselves; the parts of <c>GET /resilience/status</c> that drills read.</summary>
internal sealed record LayerStatus(
    string Level,
    IReadOnlyList<CircuitStatus> CircuitBreakers,
    IReadOnlyList<BulkheadStatus> Bulkheads,
    IReadOnlyList<FallbackStatus> Fallbacks,
    IReadOnlyList<WorkerStatus> Workers)
{
    /// <summary>Whether nothing is turned down.</summary>
    public bool IsNormal => string.Equals(Level, "normal", StringComparison.OrdinalIgnoreCase);

    public CircuitStatus? Circuit(string name) => CircuitBreakers.FirstOrDefault(circuit => circuit.Name == name);

    public BulkheadStatus? Bulkhead(string name) => Bulkheads.FirstOrDefault(bulkhead => bulkhead.Name == name);

    public FallbackStatus? Fallback(string endpoint) => Fallbacks.FirstOrDefault(fallback => fallback.Endpoint == endpoint);

    public WorkerStatus? Worker(string name) => Workers.FirstOrDefault(worker => worker.Name == name);
}

internal sealed record CircuitStatus(string Name, string State, double FailureRatio, long Calls, long Refused)
{
    /// <summary>The state without regard to how JSON spells it: <c>closed</c>, <c>open</c>, <c>halfopen</c>, <c>isolated</c>.</summary>
    public string PlainState => State.Replace("_", "", StringComparison.Ordinal).ToLowerInvariant();
}

internal sealed record BulkheadStatus(string Name, int? Limit, int InFlight, int Queued, long Refused);

internal sealed record FallbackStatus(string Endpoint, long Delegate, long Stale, long Failed, int InFlight);

internal sealed record WorkerStatus(string Name, string State, int Restarts, int Abandoned);
