namespace ResilientHost.Telemetry;

/// <summary>First ids of each slice's block of 100 log events. Ids are stable: never renumber, never reuse.</summary>
internal static class EventIds
{
    public const int CircuitBreaking = 1000;
    public const int Bulkheads = 1100;
    public const int Fallbacks = 1200;
    public const int Timeouts = 1300;
    public const int Degradation = 1400;
    public const int Recovery = 1500;
    public const int Pipeline = 1600;
    public const int Outbound = 1700;
    public const int Workers = 1800;
    public const int Hosting = 1900;
    public const int Connections = 2000;
    public const int Callers = 2100;
    public const int WorkItems = 2200;
    public const int DeadLetters = 2300;
    public const int IsolatedTasks = 2400;
    public const int Shutdown = 2500;
    public const int Calls = 2600;
    public const int Caching = 2700;
    public const int Propagation = 2800;
    public const int Dashboard = 2900;
    public const int Telemetry = 3000;
}
