using ResilientHost.Hosting;

namespace ResilientHost.Workers;

/// <summary>What the contexts of all workers of a host share. A singleton.</summary>
/// <param name="Clock">Durations and timers.</param>
/// <param name="Settings">What is in force now.</param>
/// <param name="Breakers">Where a worker's circuit breaker is found.</param>
/// <param name="Bulkheads">Where a worker's bulkhead is found.</param>
/// <param name="Level">What workers pause for; <see langword="null"/>: they never do.</param>
/// <param name="Metrics">Told of every iteration.</param>
/// <param name="Log">Told of every iteration that failed.</param>
/// <param name="Events">Told of every change of state, and of every iteration that failed.</param>
/// <param name="Random">For jitter.</param>
internal sealed record WorkerServices(
    MonotonicClock Clock,
    Func<WorkerSettings> Settings,
    CircuitBreakerRegistry Breakers,
    BulkheadRegistry Bulkheads,
    IServiceLevel? Level,
    WorkerIterationMetrics Metrics,
    WorkerIterationLog Log,
    IWorkerEvents Events,
    Random Random);
