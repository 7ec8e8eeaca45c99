using ResilientHost.Dashboard;

namespace ResilientHost.Tests.Dashboard.Page;

/// <summary>What pages are made of: a service where all is well, and how it may differ.</summary>
internal static class PageStatus
{
    public static readonly DateTimeOffset Now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    public static readonly ResilienceStatus Calm = new(
        "shop",
        "web-1",
        Now.AddHours(-1),
        ServiceLevel.Normal,
        new(Now.AddHours(-1), ServiceLevel.Normal, 0, DegradationMode.Enforce, Overridden: false, OverriddenUntil: null),
        [Circuit("orders")],
        [Bulkhead("orders", inFlight: 1, refused: 0)],
        [],
        [],
        [],
        [],
        [new("cpu", 0.2, 0.9, 0.75, Decides: true)],
        IsTainted: false,
        IsDraining: false,
        HistoryKept: true,
        EventsKept: true,
        HeartbeatSeconds: 15);

    public static readonly ConfigurationStatus Configuration = new("web-1", Now.AddHours(-1), null, null, [new("Enabled", "true", "default", null)]);

    public static ResilienceStatus With(CircuitBreakerStatus circuit) => Calm with { CircuitBreakers = [circuit] };

    public static CircuitBreakerStatus Circuit(string name, CircuitState state = CircuitState.Closed, CircuitMode mode = CircuitMode.Enforce, int calls = 100, int failures = 0) => new(
        name,
        Key: null,
        state,
        mode,
        calls == 0 ? 0 : (double)failures / calls,
        SlowCallRatio: 0,
        calls,
        Refused: 0,
        RetryAfterSeconds: null,
        Now.AddSeconds(-80),
        failures,
        SlowCalls: 0,
        WouldHaveRefused: 0,
        CallsPerSecond: null,
        P50Seconds: null,
        P90Seconds: null,
        P99Seconds: null,
        AffectsReadiness: false);

    public static BulkheadStatus Bulkhead(string name, int inFlight, long refused) => new(name, Limit: 16, inFlight, Queued: 0, refused, AdaptiveLimit.None, MaxLimit: 16, Partitions: null);

    public static WorkerStatus Worker(WorkerState state) =>
        new("mail", state, Restarts: 2, "System.TimeoutException", Now.AddMinutes(-2), Now, LastFailureAt: null, LastActivity: null, Abandoned: 0, Group: null, Criticality.Default);
}
