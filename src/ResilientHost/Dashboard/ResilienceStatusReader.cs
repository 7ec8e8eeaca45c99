using Microsoft.Extensions.Hosting;
using ResilientHost.Fallbacks;
using ResilientHost.Pipeline;

namespace ResilientHost.Dashboard;

/// <summary>Reads the layers for people and tools. Reading moves nothing but what time has moved already.</summary>
internal sealed class ResilienceStatusReader(
    CircuitBreakerRegistry circuitBreakers,
    BulkheadRegistry bulkheads,
    EndpointFallbacksFactory fallbacks,
    TimeProvider timeProvider,
    IHostEnvironment? environment = null)
{
    private readonly string _instance = $"{Environment.MachineName}:{Environment.ProcessId}";
    private readonly DateTimeOffset _startedAt = timeProvider.GetUtcNow();

    public ResilienceStatus Read() => new(
        environment?.ApplicationName ?? AppDomain.CurrentDomain.FriendlyName,
        _instance,
        _startedAt,
        [.. circuitBreakers.All.Select(Read).OrderBy(status => status.Name, StringComparer.Ordinal)],
        [.. bulkheads.All.Select(Read).OrderBy(status => status.Name, StringComparer.Ordinal)],
        [.. fallbacks.Uses.Select(Read).OrderBy(status => status.Endpoint, StringComparer.Ordinal)]);

    private static CircuitBreakerStatus Read(CircuitBreaker breaker)
    {
        var snapshot = breaker.Snapshot();
        return new(
            breaker.Name,
            Key: null,
            snapshot.State,
            snapshot.Mode,
            snapshot.FailureRatio,
            snapshot.SlowCallRatio,
            snapshot.Calls,
            snapshot.Refused,
            snapshot.RetryAfter is { } retryAfter ? Math.Ceiling(retryAfter.TotalSeconds) : null,
            snapshot.Since);
    }

    private static FallbackStatus Read(FallbackUse use) => new(use.Endpoint, use.HandlerServed, use.StaleServed, use.Failed, use.InFlight);

    private static BulkheadStatus Read(Bulkhead bulkhead)
    {
        var snapshot = bulkhead.Snapshot();
        return new(bulkhead.Name, snapshot.Limit == int.MaxValue ? null : snapshot.Limit, snapshot.InFlight, snapshot.Queued, snapshot.Refused);
    }
}
