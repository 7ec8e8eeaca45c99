namespace ResilientHost.Dashboard;

/// <summary>The status as pages know it. Not thread-safe.</summary>
internal sealed class ToldStatus
{
    private static readonly ResilienceStatusJson Json = ResilienceStatusJson.Default;

    private readonly ToldObjects<(string, string?), CircuitBreakerStatus> _circuitBreakers = new(
        StatusEventNames.CircuitBreaker,
        static circuit => (circuit.Name, circuit.Key),
        Json.CircuitBreakerStatus,
        gone: static circuit => circuit with { State = CircuitState.Closed, RetryAfterSeconds = null });

    private readonly ToldObjects<string, BulkheadStatus> _bulkheads = new(StatusEventNames.Bulkhead, static bulkhead => bulkhead.Name, Json.BulkheadStatus);

    private readonly ToldObjects<string, FallbackStatus> _fallbacks = new(StatusEventNames.Fallback, static fallback => fallback.Endpoint, Json.FallbackStatus);

    private readonly ToldObjects<string, HttpClientStatus> _httpClients = new(
        StatusEventNames.HttpClient,
        static client => client.Name,
        Json.HttpClientStatus,
        static (now, before) => now with { Authorities = before.Authorities } == before && now.Authorities.SequenceEqual(before.Authorities));

    private readonly ToldObjects<string, WorkerStatus> _workers = new(StatusEventNames.Worker, static worker => worker.Name, Json.WorkerStatus);

    private readonly ToldObjects<string, IsolatedTaskStatus> _isolatedTasks = new(
        StatusEventNames.IsolatedTask,
        static tasks => tasks.Name,
        Json.IsolatedTaskStatus,
        gone: static tasks => tasks with { Live = 0, OldestSeconds = 0, IsLeaking = false });

    private readonly ToldObjects<string, SignalStatus> _signals = new(StatusEventNames.Signal, static signal => signal.Name, Json.SignalStatus);

    private ResilienceStatus? _told;

    /// <summary>Adds an event for each thing that is not as it was told last; the whole status where there is no event for what has changed.</summary>
    public void Tell(ResilienceStatus now, StatusFrames frames)
    {
        var before = _told;
        _told = now;
        if (before is not null && IsOtherwise(before, now))
        {
            frames.Add(StatusEventNames.Status, now, Json.ResilienceStatus);
        }

        if (before is null || before.Level != now.Level || before.Degradation != now.Degradation)
        {
            frames.Add(StatusEventNames.Level, LevelStatus.Of(now), LevelStatusJson.Default.LevelStatus);
        }

        _circuitBreakers.Tell(now.CircuitBreakers, frames);
        _bulkheads.Tell(now.Bulkheads, frames);
        _fallbacks.Tell(now.Fallbacks, frames);
        _httpClients.Tell(now.HttpClients, frames);
        _workers.Tell(now.Workers, frames);
        _isolatedTasks.Tell(now.IsolatedTasks, frames);
        _signals.Tell(now.Signals, frames);
    }

    private static bool IsOtherwise(ResilienceStatus before, ResilienceStatus now) =>
        before.IsTainted != now.IsTainted
        || before.IsDraining != now.IsDraining
        || before.HistoryKept != now.HistoryKept
        || before.EventsKept != now.EventsKept
        || before.HeartbeatSeconds != now.HeartbeatSeconds;
}
