namespace ResilientHost;

public static partial class ResilienceDiagnostics
{
    /// <summary>Names of instruments.</summary>
    public static class Instruments
    {
        /// <summary>Gauge: one series per breaker and state, 1 for the state it is in, else 0.</summary>
        public const string CircuitBreakerState = "resilient_host.circuit_breaker.state";

        /// <summary>Counter of state changes, <c>{transition}</c>.</summary>
        public const string CircuitBreakerTransitions = "resilient_host.circuit_breaker.transitions";

        /// <summary>Counter of calls refused, <c>{call}</c>.</summary>
        public const string CircuitBreakerRefusals = "resilient_host.circuit_breaker.refusals";

        /// <summary>Counter of results that arrived in a later era than their call began in, <c>{call}</c>.</summary>
        public const string CircuitBreakerLateResults = "resilient_host.circuit_breaker.late_results";

        /// <summary>Calls inside, <c>{call}</c>.</summary>
        public const string BulkheadInFlight = "resilient_host.bulkhead.in_flight";

        /// <summary>Calls waiting, <c>{call}</c>.</summary>
        public const string BulkheadQueued = "resilient_host.bulkhead.queued";

        /// <summary>The limit in force, <c>{call}</c>; no series for a bulkhead without one.</summary>
        public const string BulkheadLimit = "resilient_host.bulkhead.limit";

        /// <summary>Counter of calls refused, <c>{call}</c>.</summary>
        public const string BulkheadRefusals = "resilient_host.bulkhead.refusals";

        /// <summary>Counter of calls that Shadow admitted although there was no room, <c>{call}</c>.</summary>
        public const string BulkheadShadowRefusals = "resilient_host.bulkhead.shadow_refusals";

        /// <summary>Histogram of the time spent waiting for a permit, seconds.</summary>
        public const string BulkheadQueueDuration = "resilient_host.bulkhead.queue.duration";

        /// <summary>Counter of calls that a partitioned bulkhead refused because the caller was over its own share, <c>{call}</c>.</summary>
        public const string BulkheadShareRefusals = "resilient_host.bulkhead.share_refusals";

        /// <summary>Counter of calls that Shadow admitted although the caller was over its own share, <c>{call}</c>.</summary>
        public const string BulkheadShadowShareRefusals = "resilient_host.bulkhead.shadow_share_refusals";

        /// <summary>Callers that a partitioned bulkhead tells apart at present, <c>{partition}</c>.</summary>
        public const string BulkheadPartitions = "resilient_host.bulkhead.partitions";

        /// <summary>Partitions of a keyed circuit breaker, one series per state, <c>{partition}</c>.</summary>
        public const string CircuitBreakerPartitions = "resilient_host.circuit_breaker.partitions";

        /// <summary>Gauge: the service level in force, 0 (normal) to 3 (survival).</summary>
        public const string DegradationLevel = "resilient_host.degradation.level";

        /// <summary>Gauge: how far shedding has grown, 0 to 3, continuous.</summary>
        public const string DegradationSeverity = "resilient_host.degradation.severity";

        /// <summary>Gauge: the smoothed value of a signal, one series per signal, in the signal's own unit.</summary>
        public const string DegradationSignal = "resilient_host.degradation.signal";

        /// <summary>Gauge: 1 where the level turns requests down, 0 where it only counts whom it would (<see cref="DegradationMode.Shadow"/>).</summary>
        public const string DegradationEnforced = "resilient_host.degradation.enforced";

        /// <summary>Counter of changes of the service level, <c>{change}</c>.</summary>
        public const string DegradationTransitions = "resilient_host.degradation.transitions";

        /// <summary>Counter of requests turned down, <c>{request}</c>.</summary>
        public const string DegradationShed = "resilient_host.degradation.shed";

        /// <summary>Counter of requests that Shadow admitted although they would have been turned down, <c>{request}</c>.</summary>
        public const string DegradationShadowShed = "resilient_host.degradation.shadow_shed";

        /// <summary>Counter of connections closed as soon as they were accepted, <c>{connection}</c>.</summary>
        public const string ConnectionsRefused = "resilient_host.connections.refused";

        /// <summary>Counter of answers given by a fallback, <c>{response}</c>.</summary>
        public const string FallbackServed = "resilient_host.fallback.served";

        /// <summary>Counter of fallbacks that gave no answer, <c>{call}</c>.</summary>
        public const string FallbackFailures = "resilient_host.fallback.failures";

        /// <summary>Counter of requests whose timeout ran out before their response started, <c>{request}</c>.</summary>
        public const string TimeoutExpired = "resilient_host.timeout.expired";

        /// <summary>Counter of requests that ignored their timeout and lost their connection or stream, <c>{request}</c>.</summary>
        public const string TimeoutOverruns = "resilient_host.timeout.overruns";

        /// <summary>Counter of exceptions handled by recovery, <c>{exception}</c>.</summary>
        public const string RecoveryExceptions = "resilient_host.recovery.exceptions";

        /// <summary>Histogram of requests that went through the layers, seconds.</summary>
        public const string RequestDuration = "resilient_host.request.duration";

        /// <summary>Histogram of attempts of HTTP clients until their response's headers, seconds; its count is the number of attempts.</summary>
        public const string OutboundAttemptDuration = "resilient_host.outbound.attempt.duration";

        /// <summary>Counter of attempts of HTTP clients, <c>{attempt}</c>.</summary>
        public const string OutboundAttempts = "resilient_host.outbound.attempts";

        /// <summary>Counter of attempts that were made again, <c>{attempt}</c>.</summary>
        public const string OutboundRetries = "resilient_host.outbound.retries";

        /// <summary>Counter of attempts beside a slow one, <c>{attempt}</c>.</summary>
        public const string OutboundHedges = "resilient_host.outbound.hedges";

        /// <summary>Counter of retries and hedged attempts that the budget did not allow, <c>{attempt}</c>.</summary>
        public const string OutboundBudgetExhausted = "resilient_host.outbound.budget_exhausted";

        /// <summary>Counter of bodies that broke off or came too slowly after their attempt had ended, <c>{response}</c>.</summary>
        public const string OutboundBodyFailures = "resilient_host.outbound.body_failures";

        /// <summary>Gauge: time until the certificate of an authority expires, seconds; negative when it has.</summary>
        public const string OutboundCertificateExpiry = "resilient_host.outbound.certificate.expiry";

        /// <summary>Counter of certificates that were not accepted, <c>{handshake}</c>.</summary>
        public const string OutboundCertificateFaults = "resilient_host.outbound.certificate.faults";

        /// <summary>Counter of reads through a cache, <c>{read}</c>; tag <c>result</c>: <c>hit|distributed_hit|miss|negative_hit|stale|filtered|failed</c>.</summary>
        public const string CacheReads = "resilient_host.cache.reads";

        /// <summary>Histogram of factory calls of caches, seconds.</summary>
        public const string CacheFactoryDuration = "resilient_host.cache.factory.duration";

        /// <summary>Gauge: one series per worker and state, 1 for the state it is in, else 0.</summary>
        public const string WorkerState = "resilient_host.worker.state";

        /// <summary>Counter of runs that were started again, <c>{restart}</c>.</summary>
        public const string WorkerRestarts = "resilient_host.worker.restarts";

        /// <summary>Gauge: runs that were given up on and have not ended yet, <c>{run}</c>.</summary>
        public const string WorkerAbandoned = "resilient_host.worker.abandoned";

        /// <summary>Histogram of iterations, seconds.</summary>
        public const string WorkerIterationDuration = "resilient_host.worker.iteration.duration";

        /// <summary>Histogram of attempts at items, seconds.</summary>
        public const string WorkItemDuration = "resilient_host.work_item.duration";

        /// <summary>Gauge: items that were taken and are not finished, <c>{item}</c>.</summary>
        public const string WorkItemInFlight = "resilient_host.work_item.in_flight";

        /// <summary>Counter of items that became dead letters, <c>{item}</c>.</summary>
        public const string DeadLetters = "resilient_host.dead_letter.written";

        /// <summary>Counter of dead letters that could not be kept at the first try, <c>{item}</c>.</summary>
        public const string DeadLetterFailures = "resilient_host.dead_letter.failures";

        /// <summary>Gauge: isolated tasks that live, <c>{task}</c>.</summary>
        public const string IsolatedTasksLive = "resilient_host.isolated_task.live";

        /// <summary>Histogram of isolated tasks, seconds.</summary>
        public const string IsolatedTaskDuration = "resilient_host.isolated_task.duration";

        /// <summary>Counter of isolated tasks that were refused, <c>{task}</c>.</summary>
        public const string IsolatedTaskRefusals = "resilient_host.isolated_task.refusals";

        /// <summary>Counter of exceptions that nothing had caught and that were contained, <c>{exception}</c>.</summary>
        public const string UnhandledContained = "resilient_host.recovery.contained";

        /// <summary>Counter of batches that an exporter of ResilientHost.Telemetry handed over or could not, <c>{export}</c>.</summary>
        public const string TelemetryExports = "resilient_host.telemetry.exports";

        /// <summary>Counter of spans, log records, metrics of a batch and console lines that are lost, <c>{item}</c>.</summary>
        public const string TelemetryDropped = "resilient_host.telemetry.dropped";
    }
}
