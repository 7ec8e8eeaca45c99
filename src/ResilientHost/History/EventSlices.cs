using ResilientHost.Telemetry;

namespace ResilientHost.History;

/// <summary>Which part of the suite a log event comes from, by its id's block of a hundred.</summary>
internal static class EventSlices
{
    public const int First = EventIds.CircuitBreaking;

    public const int Last = EventIds.Telemetry + 99;

    /// <summary>One for each request: traffic, not news.</summary>
    public const int Requests = EventIds.Telemetry;

    public static string Of(int eventId) => (eventId - (eventId % 100)) switch
    {
        EventIds.CircuitBreaking => "circuitBreaking",
        EventIds.Bulkheads => "bulkheads",
        EventIds.Fallbacks => "fallbacks",
        EventIds.Timeouts => "timeouts",
        EventIds.Degradation => "degradation",
        EventIds.Recovery => "recovery",
        EventIds.Pipeline => "pipeline",
        EventIds.Outbound => "outbound",
        EventIds.Workers => "workers",
        EventIds.Hosting => "hosting",
        EventIds.Connections => "connections",
        EventIds.Callers => "callers",
        EventIds.WorkItems => "workItems",
        EventIds.DeadLetters => "deadLetters",
        EventIds.IsolatedTasks => "isolatedTasks",
        EventIds.Shutdown => "shutdown",
        EventIds.Calls => "calls",
        EventIds.Caching => "caching",
        EventIds.Propagation => "propagation",
        EventIds.Dashboard => "dashboard",
        EventIds.Telemetry => "telemetry",
        _ => "other",
    };
}
