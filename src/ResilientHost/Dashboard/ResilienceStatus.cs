using System.Text.Json.Serialization;

namespace ResilientHost.Dashboard;

/// <summary>The layers of this instance as they stand now: the body of <c>GET status</c>.</summary>
/// <param name="Service">The application.</param>
/// <param name="Instance">The process.</param>
/// <param name="StartedAt">Since when it runs.</param>
/// <param name="Level">The service level.</param>
/// <param name="Degradation">How the level came about.</param>
/// <param name="CircuitBreakers">By name.</param>
/// <param name="Bulkheads">By name.</param>
/// <param name="Fallbacks">By endpoint.</param>
/// <param name="HttpClients">By name.</param>
/// <param name="Workers">By name.</param>
/// <param name="IsolatedTasks">By name, those that live.</param>
/// <param name="Signals">In the order of the suite's, then the application's.</param>
/// <param name="IsTainted">Whether the process has contained an exception that nothing caught.</param>
/// <param name="IsDraining">Whether the host is stopping.</param>
/// <param name="HistoryKept">Whether there is a history to ask for.</param>
/// <param name="EventsKept">Whether the suite's log events reach the dashboard: not every logger factory takes a provider.</param>
/// <param name="HeartbeatSeconds">How often the stream gives a sign of life.</param>
internal sealed record ResilienceStatus(
    string Service,
    string Instance,
    DateTimeOffset StartedAt,
    ServiceLevel Level,
    DegradationStatus Degradation,
    IReadOnlyList<CircuitBreakerStatus> CircuitBreakers,
    IReadOnlyList<BulkheadStatus> Bulkheads,
    IReadOnlyList<FallbackStatus> Fallbacks,
    IReadOnlyList<HttpClientStatus> HttpClients,
    IReadOnlyList<WorkerStatus> Workers,
    IReadOnlyList<IsolatedTaskStatus> IsolatedTasks,
    IReadOnlyList<SignalStatus> Signals,
    bool IsTainted,
    bool IsDraining,
    bool HistoryKept,
    bool EventsKept,
    double HeartbeatSeconds);

/// <param name="Since">Since when the level is in force.</param>
/// <param name="SignalledLevel">What the signals ask for, overridden or not.</param>
/// <param name="Severity">How far shedding has grown, 0 to 3.</param>
/// <param name="Mode">Whether requests are turned down or only counted.</param>
/// <param name="Overridden">Whether the level is held by hand.</param>
/// <param name="OverriddenUntil">When the override ends; null without one or when it does not expire.</param>
internal sealed record DegradationStatus(
    DateTimeOffset Since,
    ServiceLevel SignalledLevel,
    double Severity,
    DegradationMode Mode,
    bool Overridden,
    DateTimeOffset? OverriddenUntil);

/// <param name="Name">Name of the signal.</param>
/// <param name="Value">The smoothed value; null while there is none.</param>
/// <param name="Enter">From this value on the level rises.</param>
/// <param name="Exit">Down to this value it no longer holds the level.</param>
/// <param name="Decides">Whether the signal has a say.</param>
internal sealed record SignalStatus(string Name, double? Value, double Enter, double Exit, bool Decides);

/// <param name="Name">Name of the breaker.</param>
/// <param name="Key">Key of the partition; <see langword="null"/> for the breaker itself.</param>
/// <param name="State">Where it stands.</param>
/// <param name="Mode">Whether it refuses.</param>
/// <param name="FailureRatio">Share of failed calls in the window.</param>
/// <param name="SlowCallRatio">Share of slow calls in the window.</param>
/// <param name="Calls">Calls in the window.</param>
/// <param name="Refused">Calls refused since the start.</param>
/// <param name="RetryAfterSeconds">What is left of a break.</param>
/// <param name="Since">Since when it is in its state.</param>
/// <param name="Failures">Failed calls in the window.</param>
/// <param name="SlowCalls">Slow calls in the window.</param>
/// <param name="WouldHaveRefused">Calls since the start that were let through in Shadow alone.</param>
/// <param name="CallsPerSecond">Over the last 10 s; <see langword="null"/> without a history, and for partitions.</param>
/// <param name="P50Seconds">Median duration over the last 2 minutes or less; <see langword="null"/> also where nothing was measured.</param>
/// <param name="P90Seconds">90th percentile.</param>
/// <param name="P99Seconds">99th percentile.</param>
/// <param name="AffectsReadiness">Whether the instance is not ready while it is open.</param>
internal sealed record CircuitBreakerStatus(
    string Name,
    string? Key,
    CircuitState State,
    CircuitMode Mode,
    double FailureRatio,
    double SlowCallRatio,
    int Calls,
    long Refused,
    double? RetryAfterSeconds,
    DateTimeOffset Since,
    int Failures,
    int SlowCalls,
    long WouldHaveRefused,
    double? CallsPerSecond,
    double? P50Seconds,
    double? P90Seconds,
    double? P99Seconds,
    bool AffectsReadiness);

/// <param name="Name">Name of the bulkhead.</param>
/// <param name="Limit">Null for a bulkhead that only measures.</param>
/// <param name="InFlight">Calls inside.</param>
/// <param name="Queued">Calls waiting.</param>
/// <param name="Refused">Calls refused since the start, with those of callers over their share.</param>
/// <param name="Adaptive">How the limit is found.</param>
/// <param name="MaxLimit">The highest that an adaptive limit may become; null for a bulkhead that only measures.</param>
/// <param name="Partitions">Callers that are told apart at present; null where nobody is.</param>
internal sealed record BulkheadStatus(string Name, int? Limit, int InFlight, int Queued, long Refused, AdaptiveLimit Adaptive, int? MaxLimit, int? Partitions);

/// <param name="Endpoint">The endpoint's key.</param>
/// <param name="Delegate">Answers of its own fallback since the start.</param>
/// <param name="Stale">Answers that were the last good response.</param>
/// <param name="Failed">Fallbacks that gave no answer.</param>
/// <param name="InFlight">Fallbacks that run now.</param>
/// <param name="CircuitBreaker">Name of the endpoint's circuit; <see langword="null"/> without one, and before the first request to an endpoint with one of its own.</param>
internal sealed record FallbackStatus(string Endpoint, long Delegate, long Stale, long Failed, int InFlight, string? CircuitBreaker);

/// <param name="Name">Name that the client's layers go by.</param>
/// <param name="Attempts">Attempts since the start, the first ones included.</param>
/// <param name="Retries">Attempts made again after a failure.</param>
/// <param name="Hedges">Attempts beside a slow one.</param>
/// <param name="Refused">Attempts that a circuit or a bulkhead refused.</param>
/// <param name="BudgetExhausted">Retries and hedged attempts that the budget did not allow.</param>
/// <param name="AuthorityCount">Authorities that are told apart at present.</param>
/// <param name="Authorities">Up to a hundred of them: those whose circuit is not closed first, then the busiest.</param>
internal sealed record HttpClientStatus(
    string Name,
    long Attempts,
    long Retries,
    long Hedges,
    long Refused,
    long BudgetExhausted,
    int AuthorityCount,
    IReadOnlyList<AuthorityStatus> Authorities);

/// <param name="Authority">Scheme, host and port.</param>
/// <param name="State">State of its circuit.</param>
/// <param name="FailureRatio">Share of failed attempts in the circuit's window.</param>
/// <param name="Calls">Attempts in the circuit's window.</param>
/// <param name="RetryAfterSeconds">What is left of a break.</param>
/// <param name="Limit">Limit of its bulkhead; null for one that only measures.</param>
/// <param name="InFlight">Attempts that wait for their answer.</param>
/// <param name="Queued">Attempts that wait for a place.</param>
/// <param name="RetriesLately">Retries and hedged attempts of the budget's last 10 s.</param>
/// <param name="CertificateExpiresAt">When its certificate runs out; null where no handshake was seen.</param>
/// <param name="CertificateFault">What is wrong with its certificate; null: nothing that is known.</param>
internal sealed record AuthorityStatus(
    string Authority,
    CircuitState State,
    double FailureRatio,
    int Calls,
    double? RetryAfterSeconds,
    int? Limit,
    int InFlight,
    int Queued,
    long RetriesLately,
    DateTimeOffset? CertificateExpiresAt,
    string? CertificateFault);

/// <param name="Name">Name of the worker.</param>
/// <param name="State">Where it is in its life.</param>
/// <param name="Restarts">How often it was started again.</param>
/// <param name="LastFailure">Type of the last exception that ended a run or an iteration; never its text.</param>
/// <param name="LastHeartbeat">When it was heard of last.</param>
/// <param name="Since">Since when it is in its state.</param>
/// <param name="LastFailureAt">When that exception was.</param>
/// <param name="LastActivity">What it said or did last; <see langword="null"/> for who is not told texts.</param>
/// <param name="Abandoned">Runs left behind that have not ended.</param>
/// <param name="Group">Its group.</param>
/// <param name="Criticality">Its criticality.</param>
internal sealed record WorkerStatus(
    string Name,
    WorkerState State,
    int Restarts,
    string? LastFailure,
    DateTimeOffset? LastHeartbeat,
    DateTimeOffset Since,
    DateTimeOffset? LastFailureAt,
    string? LastActivity,
    int Abandoned,
    string? Group,
    Criticality Criticality);

/// <param name="Name">What the tasks are.</param>
/// <param name="Live">How many live.</param>
/// <param name="OldestSeconds">Age of the oldest.</param>
/// <param name="Origin">Where the oldest was started; <see langword="null"/> for who is not told texts.</param>
/// <param name="IsLeaking">Whether they keep growing in number.</param>
internal sealed record IsolatedTaskStatus(string Name, int Live, double OldestSeconds, string? Origin, bool IsLeaking);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    Converters = [typeof(CamelCaseEnumConverter<CircuitState>), typeof(CamelCaseEnumConverter<CircuitMode>), typeof(CamelCaseEnumConverter<ServiceLevel>),
        typeof(CamelCaseEnumConverter<DegradationMode>), typeof(CamelCaseEnumConverter<AdaptiveLimit>),
        typeof(CamelCaseEnumConverter<WorkerState>), typeof(CamelCaseEnumConverter<Criticality>)])]
[JsonSerializable(typeof(ResilienceStatus))]
internal sealed partial class ResilienceStatusJson : JsonSerializerContext;

internal sealed class CamelCaseEnumConverter<TEnum>() : JsonStringEnumConverter<TEnum>(System.Text.Json.JsonNamingPolicy.CamelCase, allowIntegerValues: false)
    where TEnum : struct, Enum;
