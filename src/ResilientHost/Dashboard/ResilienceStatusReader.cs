using Microsoft.Extensions.Hosting;
using ResilientHost.Bulkheads;
using ResilientHost.Fallbacks;
using ResilientHost.History;
using ResilientHost.IsolatedTasks;
using ResilientHost.Outbound;
using ResilientHost.Pipeline;
using ResilientHost.Shutdown;
using ResilientHost.Workers;

namespace ResilientHost.Dashboard;

/// <summary>Reads the layers for people and tools. Reading moves nothing but what time has moved already.</summary>
internal sealed class ResilienceStatusReader(
    CircuitBreakerRegistry circuitBreakers,
    BulkheadRegistry bulkheads,
    EndpointFallbacksFactory fallbacks,
    OutboundClients httpClients,
    WorkerRegistry workers,
    IsolatedTaskRunner tasks,
    InstanceTaint taint,
    IServiceLevel level,
    ResilienceInstance instance,
    ShutdownSequence shutdown,
    HistoryRecorder history,
    Func<DashboardPolicy> policy,
    TimeProvider timeProvider,
    IHostEnvironment? environment = null)
{
    // Of one breaker: those that matter are few, or so many that nobody reads them all.
    private const int MaxPartitions = 100;

    // Of those for whom there was no partition.
    private const string KeyOfOthers = "(others)";

    private readonly DateTimeOffset _startedAt = timeProvider.GetUtcNow();

    /// <param name="namesCallers">
    /// Whether keys of partitions and free text are told; a key may be a tenant's name or an address, a text anything. If not, a number stands for each key, the same while the process lives.
    /// </param>
    public ResilienceStatus Read(bool namesCallers = true)
    {
        var service = level.Snapshot();
        return new(
            environment?.ApplicationName ?? AppDomain.CurrentDomain.FriendlyName,
            instance.Name,
            _startedAt,
            service.Level,
            new(service.Since, service.SignalledLevel, service.Severity, service.Mode, service.IsOverridden, service.OverriddenUntil),
            [.. circuitBreakers.All.SelectMany(breaker => ReadAll(breaker, namesCallers)).OrderBy(status => status.Name, StringComparer.Ordinal).ThenBy(status => status.Key, StringComparer.Ordinal)],
            [.. bulkheads.All.Select(Read).Concat(bulkheads.Groups.Select(Read)).OrderBy(status => status.Name, StringComparer.Ordinal)],
            [.. fallbacks.Uses.Select(Read).OrderBy(status => status.Endpoint, StringComparer.Ordinal)],
            [.. httpClients.All.Select(client => Read(client, namesCallers))],
            [.. workers.All.Select(worker => Read(worker, namesCallers)).OrderBy(status => status.Name, StringComparer.Ordinal)],
            [.. tasks.Snapshot().Where(static name => name.Live > 0).Select(name => Read(name, namesCallers)).OrderBy(status => status.Name, StringComparer.Ordinal)],
            [.. service.Signals.Select(static signal => new SignalStatus(signal.Name, signal.Value, signal.Enter, signal.Exit, signal.IsEnabled))],
            taint.IsTainted,
            shutdown.IsDraining,
            history.IsRunning,
            history.KeepsEvents,
            policy().Heartbeat.TotalSeconds);
    }

    private IEnumerable<CircuitBreakerStatus> ReadAll(CircuitBreaker breaker, bool namesCallers)
    {
        yield return Read(breaker, key: null);
        if (breaker.Partitions is not { } partitions)
        {
            yield break;
        }

        foreach (var (key, partition) in partitions.NotClosed(MaxPartitions))
        {
            yield return Read(partition, Tell(key, namesCallers));
        }

        if (partitions.Other.State != CircuitState.Closed)
        {
            yield return Read(partitions.Other, KeyOfOthers);
        }
    }

    // The hash is keyed by process: nobody can try out names.
    private static string Tell(string key, bool namesCallers) => namesCallers ? key : $"#{key.GetHashCode(StringComparison.Ordinal):x8}";

    private static HttpClientStatus Read(OutboundClient client, bool namesCallers) => new(
        client.Name,
        client.Counts.Attempts,
        client.Counts.Retries,
        client.Counts.Hedges,
        client.Counts.Refused,
        client.Counts.BudgetExhausted,
        client.AuthorityCount,
        [.. client.Authorities(MaxPartitions).Select(authority => Read(authority, namesCallers))]);

    private static AuthorityStatus Read(OutboundAuthority authority, bool namesCallers)
    {
        var (circuit, bulkhead) = (authority.CircuitBreaker.Snapshot(), authority.Bulkhead.Snapshot());
        return new(
            Tell(authority.Authority, namesCallers),
            circuit.State,
            circuit.FailureRatio,
            circuit.Calls,
            SecondsOf(circuit.RetryAfter),
            LimitOf(bulkhead.Limit),
            bulkhead.InFlight,
            bulkhead.Queued,
            authority.Budget.Spent,
            authority.Certificates?.NotAfter,
            authority.Certificates?.Fault is { } fault ? CertificateNames.Of(fault) : null);
    }

    /// <summary>Whether a key means the circuit of those for whom there was no other.</summary>
    /// <remarks>Authorities of an HTTP client have another name for it than callers.</remarks>
    public static bool IsKeyOfOthers(string breaker, string key) =>
        key == KeyOfOthers || (key == OutboundClient.Shared && breaker.StartsWith("http:", StringComparison.Ordinal));

    /// <summary>One circuit.</summary>
    public CircuitBreakerStatus Read(CircuitBreaker breaker, string? key)
    {
        var snapshot = breaker.Snapshot();
        var isRecorded = history.TryRead(breaker, out var rates);
        return new(
            breaker.Name,
            key,
            snapshot.State,
            snapshot.Mode,
            snapshot.FailureRatio,
            snapshot.SlowCallRatio,
            snapshot.Calls,
            snapshot.Refused,
            SecondsOf(snapshot.RetryAfter),
            snapshot.Since,
            snapshot.Failures,
            snapshot.SlowCalls,
            breaker.WouldHaveRefused,
            isRecorded ? rates.CallsPerSecond : null,
            rates.P50Seconds,
            rates.P90Seconds,
            rates.P99Seconds,
            breaker.Policy.AffectsReadiness);
    }

    private static FallbackStatus Read(FallbackUse use) => new(use.Endpoint, use.HandlerServed, use.StaleServed, use.Failed, use.InFlight, use.CircuitBreaker?.Name);

    private static BulkheadStatus Read(Bulkhead bulkhead)
    {
        var snapshot = bulkhead.Snapshot();
        var policy = bulkhead.Policy;
        var shares = bulkhead.Shares;
        return new(
            bulkhead.Name,
            LimitOf(snapshot.Limit),
            snapshot.InFlight,
            snapshot.Queued,
            snapshot.Refused + (shares?.Counts.Refused ?? 0),
            policy.Adaptive,
            LimitOf(policy.Limit),
            shares?.Partitions);
    }

    private static BulkheadStatus Read(BulkheadGroup group)
    {
        var snapshot = group.Snapshot();
        return new(group.Name, LimitOf(snapshot.Limit), snapshot.InFlight, snapshot.Queued, snapshot.Refused, group.Policy.Adaptive, LimitOf(group.Policy.Limit), Partitions: null);
    }

    // What a worker says of itself is the application's own text, and may name anybody.
    private static WorkerStatus Read(WorkerSnapshot worker, bool namesCallers) => new(
        worker.Name,
        worker.State,
        worker.Restarts,
        worker.LastFailure,
        worker.LastHeartbeat,
        worker.Since,
        worker.LastFailureAt,
        namesCallers ? worker.LastActivity : null,
        worker.Abandoned,
        worker.Group,
        worker.Criticality);

    private static IsolatedTaskStatus Read(IsolatedTaskSnapshot tasks, bool namesCallers) =>
        new(tasks.Name, tasks.Live, Math.Round(tasks.OldestAge.TotalSeconds, 3), namesCallers ? tasks.Origin : null, tasks.IsLeaking);

    private static double? SecondsOf(TimeSpan? retryAfter) => retryAfter is { } left ? Math.Ceiling(left.TotalSeconds) : null;

    private static int? LimitOf(int limit) => limit == int.MaxValue ? null : limit;
}
