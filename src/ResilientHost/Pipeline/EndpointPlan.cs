using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Http;
using ResilientHost.Fallbacks;
using ResilientHost.Timeouts;

namespace ResilientHost.Pipeline;

/// <summary>What a request to one endpoint meets, compiled once. Immutable; a call takes its plan once and keeps it to the end.</summary>
/// <remarks>
/// Order, outermost first: recovery, fallback, degradation, bulkhead, circuit breaker, timeout, endpoint. A layer that an endpoint
/// does not have is null and costs one comparison.
/// </remarks>
internal sealed class EndpointPlan
{
    /// <summary>The endpoint; <see langword="null"/> only of a plan that was made for none.</summary>
    public Endpoint? Endpoint { get; init; }

    /// <summary>The endpoint's key: names its automatic layers and stands in logs.</summary>
    public required string Key { get; init; }

    /// <summary><see cref="Key"/>, or <c>other</c> beyond the cap on tag values.</summary>
    public required string Tag { get; init; }

    public Bulkhead? Bulkhead { get; init; }

    public CircuitBreaker? CircuitBreaker { get; init; }

    /// <summary>How much requests to the endpoint matter; <see langword="null"/> for one that is never turned down: health, the suite's own, one without layers.</summary>
    public Criticality? Criticality { get; init; }

    /// <summary>Whether its callers keep their connection while the door closes others: those who are served first, and those who look after the service.</summary>
    public bool KeepsConnection { get; init; }

    /// <summary>Whether a layer wants to know who calls.</summary>
    public bool TellsCallersApart => Bulkhead is { Shares: not null } || CircuitBreaker is { Partitions: not null } or { CountsCallers: true };

    /// <summary>What the endpoint says of its timeout: infinite for none, <see langword="null"/> where it says nothing.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>Whether <c>Timeouts:Default</c> is for this endpoint. Not where the framework's own timeout stands.</summary>
    public bool TakesDefaultTimeout { get; init; }

    /// <summary>Whether its requests end when their caller stops waiting. Not where the endpoint has no layers at all.</summary>
    public bool HeedsDeadlines { get; init; }

    public EndpointFallbacks? Fallbacks { get; init; }

    /// <summary>Nothing of ours: static assets, health, our own pages. The outermost catch still stands behind them.</summary>
    public bool IsExempt { get; init; }

    /// <summary>Known to stream its answer: layers let go once the response has started.</summary>
    public bool IsStreaming { get; init; }

    /// <summary>How long a request to the endpoint may take until its response starts; <see langword="null"/>: as long as it likes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TimeSpan? TimeoutUnder(TimeoutPolicy policy)
    {
        var timeout = !policy.Enabled ? null : Timeout ?? (TakesDefaultTimeout ? policy.Default : null);
        return timeout == System.Threading.Timeout.InfiniteTimeSpan ? null : timeout;
    }

    /// <summary>The layers' states for the log entry of an exception.</summary>
    public string DescribeLayers()
    {
        var circuit = CircuitBreaker is { } breaker ? $"circuit breaker '{breaker.Name}' {breaker.State}" : "no circuit breaker";
        if (Bulkhead?.Snapshot() is not { } bulkhead)
        {
            return $"{circuit}, no bulkhead";
        }

        var limit = bulkhead.Limit == int.MaxValue ? "no limit" : $"limit {bulkhead.Limit}";
        return $"{circuit}, bulkhead '{Bulkhead.Name}' {bulkhead.InFlight} in flight ({limit}), {bulkhead.Queued} queued";
    }
}
