namespace ResilientHost.Dashboard;

/// <summary>What the events of the stream are called: part of the contract with pages.</summary>
internal static class StatusEventNames
{
    public const string Status = "status";
    public const string CircuitBreaker = "circuitBreaker";
    public const string Bulkhead = "bulkhead";
    public const string Fallback = "fallback";
    public const string HttpClient = "httpClient";
    public const string Worker = "worker";
    public const string IsolatedTask = "isolatedTask";
    public const string Signal = "signal";
    public const string Level = "level";
    public const string Sample = "sample";
    public const string Event = "event";
    public const string Heartbeat = "heartbeat";
}
