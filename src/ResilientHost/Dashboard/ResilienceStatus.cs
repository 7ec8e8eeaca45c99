using System.Text.Json.Serialization;

namespace ResilientHost.Dashboard;

/// <summary>The layers of this instance as they stand now: the body of <c>GET status</c>.</summary>
internal sealed record ResilienceStatus(
    string Service,
    string Instance,
    DateTimeOffset StartedAt,
    IReadOnlyList<CircuitBreakerStatus> CircuitBreakers,
    IReadOnlyList<BulkheadStatus> Bulkheads,
    IReadOnlyList<FallbackStatus> Fallbacks);

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
    DateTimeOffset Since);

/// <param name="Name">Name of the bulkhead.</param>
/// <param name="Limit">Null for a bulkhead that only measures.</param>
/// <param name="InFlight">Calls inside.</param>
/// <param name="Queued">Calls waiting.</param>
/// <param name="Refused">Calls refused since the start.</param>
internal sealed record BulkheadStatus(string Name, int? Limit, int InFlight, int Queued, long Refused);

/// <param name="Endpoint">The endpoint's key.</param>
/// <param name="Delegate">Answers of its own fallback since the start.</param>
/// <param name="Stale">Answers that were the last good response.</param>
/// <param name="Failed">Fallbacks that gave no answer.</param>
/// <param name="InFlight">Fallbacks that run now.</param>
internal sealed record FallbackStatus(string Endpoint, long Delegate, long Stale, long Failed, int InFlight);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    Converters = [typeof(CamelCaseEnumConverter<CircuitState>), typeof(CamelCaseEnumConverter<CircuitMode>)])]
[JsonSerializable(typeof(ResilienceStatus))]
internal sealed partial class ResilienceStatusJson : JsonSerializerContext;

internal sealed class CamelCaseEnumConverter<TEnum>() : JsonStringEnumConverter<TEnum>(System.Text.Json.JsonNamingPolicy.CamelCase, allowIntegerValues: false)
    where TEnum : struct, Enum;
