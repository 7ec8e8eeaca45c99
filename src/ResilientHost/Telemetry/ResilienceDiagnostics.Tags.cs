namespace ResilientHost;

public static partial class ResilienceDiagnostics
{
    /// <summary>Names of tags. Values are closed sets; paths, users and keys are never tags.</summary>
    public static class Tags
    {
        /// <summary>Name that an HTTP client's layers go by.</summary>
        public const string OutboundClient = "resilient_host.outbound.client";

        /// <summary>How an attempt ended: <c>succeeded</c>, <c>failed</c>, <c>ignored</c>, <c>refused</c>.</summary>
        public const string OutboundOutcome = "resilient_host.outbound.outcome";

        /// <summary>
        /// Why an attempt or a body failed: <c>status_5xx</c>, <c>status_408</c>, <c>status_429</c>, <c>timeout</c>, <c>name_resolution</c>, <c>connection</c>, <c>secure_connection</c>, <c>protocol</c>,
        /// <c>response_ended</c>, <c>body_too_slow</c>, <c>exception</c>, or the code of the refusal.
        /// </summary>
        public const string OutboundFailure = "resilient_host.outbound.failure";

        /// <summary><see langword="true"/> on the span of an attempt that was made beside a slow one.</summary>
        public const string OutboundHedge = "resilient_host.outbound.hedge";

        /// <summary>How often a request has been sent before: absent for the first attempt. OpenTelemetry's name.</summary>
        public const string ResendCount = "http.request.resend_count";

        /// <summary>Method of a request, <c>_OTHER</c> for one that is not known. OpenTelemetry's name.</summary>
        public const string RequestMethod = "http.request.method";

        /// <summary>Status of a response. OpenTelemetry's name.</summary>
        public const string ResponseStatus = "http.response.status_code";

        /// <summary>Host that a call goes to. OpenTelemetry's name; on gauges of a bounded number of authorities and on spans only.</summary>
        public const string ServerAddress = "server.address";

        /// <summary>Port that a call goes to. OpenTelemetry's name; as <see cref="ServerAddress"/>.</summary>
        public const string ServerPort = "server.port";

        /// <summary>What was wrong with a certificate: <c>expired</c>, <c>not_yet_valid</c>, <c>wrong_name</c>, <c>untrusted</c>, <c>other</c>.</summary>
        public const string CertificateFault = "resilient_host.outbound.certificate.fault";

        /// <summary>Name of a cache; <c>default</c> for the one without a name.</summary>
        public const string CacheName = "resilient_host.cache.name";

        /// <summary>What a read found.</summary>
        public const string CacheResult = "resilient_host.cache.result";

        /// <summary>Name of a circuit breaker.</summary>
        public const string CircuitBreakerName = "resilient_host.circuit_breaker.name";

        /// <summary>State of a circuit: <c>closed</c>, <c>open</c>, <c>half_open</c>, <c>isolated</c>.</summary>
        public const string CircuitState = "resilient_host.circuit_breaker.state";

        /// <summary>State left by a transition; values as <see cref="CircuitState"/>.</summary>
        public const string CircuitFrom = "resilient_host.circuit_breaker.from";

        /// <summary>State entered by a transition; values as <see cref="CircuitState"/>.</summary>
        public const string CircuitTo = "resilient_host.circuit_breaker.to";

        /// <summary>Cause of a transition, such as <c>failure_ratio</c>.</summary>
        public const string CircuitCause = "resilient_host.circuit_breaker.cause";

        /// <summary>Name of a bulkhead.</summary>
        public const string BulkheadName = "resilient_host.bulkhead.name";

        /// <summary>How a wait ended: <c>admitted</c>, <c>bulkhead_full</c>, <c>queue_timeout</c>, <c>cancelled</c>.</summary>
        public const string BulkheadQueueOutcome = "resilient_host.bulkhead.queue.outcome";

        /// <summary>Why a call was refused, such as <c>circuit_open</c>.</summary>
        public const string RefusalReason = "resilient_host.refusal.reason";

        /// <summary>The endpoint: its name, else method and route pattern; <c>other</c> beyond the cap.</summary>
        public const string Endpoint = "resilient_host.endpoint";

        /// <summary>Which fallback: <c>delegate</c> or <c>stale</c>.</summary>
        public const string FallbackKind = "resilient_host.fallback.kind";

        /// <summary>Why a fallback gave no answer: <c>exception</c>, <c>timeout</c>, <c>status</c>, <c>bulkhead_full</c>, <c>body</c>, <c>unauthorized</c>, <c>miss</c>.</summary>
        public const string FallbackFailure = "resilient_host.fallback.failure";

        /// <summary>Criticality of a request: <c>sheddable</c>, <c>default</c>, <c>critical</c>.</summary>
        public const string Criticality = "resilient_host.criticality";

        /// <summary>A service level: <c>normal</c>, <c>reduced</c>, <c>essential</c>, <c>survival</c>.</summary>
        public const string ServiceLevel = "resilient_host.degradation.level";

        /// <summary>Level left by a change; values as <see cref="ServiceLevel"/>.</summary>
        public const string ServiceLevelFrom = "resilient_host.degradation.from";

        /// <summary>Level entered by a change; values as <see cref="ServiceLevel"/>.</summary>
        public const string ServiceLevelTo = "resilient_host.degradation.to";

        /// <summary>Why the level changed: <c>overload</c>, <c>recovery</c>, <c>override</c>, <c>override_ended</c>.</summary>
        public const string ServiceLevelCause = "resilient_host.degradation.cause";

        /// <summary>Name of a signal: one of <see cref="SignalNames"/>, or an application's own.</summary>
        public const string Signal = "resilient_host.degradation.signal";

        /// <summary>Why a connection was not taken: <c>descriptors</c>, <c>survival</c>.</summary>
        public const string ConnectionRefusal = "resilient_host.connections.reason";

        /// <summary>What became of a request: <c>succeeded</c>, <c>failed</c>, <c>refused</c>, <c>recovered</c>, <c>timed_out</c>, <c>fallback</c>, <c>aborted</c>.</summary>
        public const string Disposition = "resilient_host.disposition";

        /// <summary>Name of a worker; <c>other</c> beyond the cap.</summary>
        public const string WorkerName = "resilient_host.worker.name";

        /// <summary>State of a worker, such as <c>running</c> or <c>backing_off</c>.</summary>
        public const string WorkerState = "resilient_host.worker.state";

        /// <summary>Why a worker was started again: <c>failure</c>, <c>returned</c>, <c>silence</c>, <c>group</c>, <c>manual</c>.</summary>
        public const string WorkerCause = "resilient_host.worker.cause";

        /// <summary>Number of a worker's run; on spans only.</summary>
        public const string WorkerRun = "resilient_host.worker.run";

        /// <summary>Name of an iteration; <c>other</c> beyond the cap.</summary>
        public const string Iteration = "resilient_host.worker.iteration";

        /// <summary>Name of the processing of items; <c>other</c> beyond the cap.</summary>
        public const string WorkItems = "resilient_host.work_items.name";

        /// <summary>Which attempt at an item it is, from 1; on spans only.</summary>
        public const string Attempt = "resilient_host.work_item.attempt";

        /// <summary>Name of isolated tasks; <c>other</c> beyond the cap.</summary>
        public const string IsolatedTaskName = "resilient_host.isolated_task.name";

        /// <summary>How a call ended: <c>succeeded</c>, <c>failed</c>, <c>ignored</c>.</summary>
        public const string Outcome = "resilient_host.outcome";

        /// <summary>Why an item is a dead letter: <c>poison</c>, <c>shutdown</c>, <c>unreadable</c>.</summary>
        public const string DeadLetterReason = "resilient_host.dead_letter.reason";

        /// <summary>What was to be delivered: a value of <see cref="TelemetryTagValues"/>.</summary>
        public const string TelemetrySignal = "resilient_host.telemetry.signal";

        /// <summary>How an export ended: <c>succeeded</c>, <c>failed</c>.</summary>
        public const string TelemetryResult = "resilient_host.telemetry.result";

        /// <summary>Why telemetry was lost: <c>queue_full</c>, <c>export_failed</c>.</summary>
        public const string TelemetryDropReason = "resilient_host.telemetry.drop_reason";

        /// <summary>What a person did, as the operation's path says; on spans only.</summary>
        public const string Operation = "resilient_host.operation";

        /// <summary>What it was done to: a circuit's name and key; on spans only.</summary>
        public const string OperationTarget = "resilient_host.operation.target";

        /// <summary>Who did it; on spans only.</summary>
        public const string OperationBy = "resilient_host.operation.by";

        /// <summary>Full type name of an exception; <c>other</c> beyond the cap.</summary>
        public const string ExceptionType = "exception.type";

        /// <summary>What made a span an error: full type name of an exception, code of a refusal, or status of an answer that a fallback replaced.</summary>
        public const string ErrorType = "error.type";

        /// <summary>Where an exception was seen: <c>endpoint</c>, <c>pipeline</c>, <c>unobserved_task</c>, <c>unhandled</c>.</summary>
        public const string ExceptionOrigin = "resilient_host.exception.origin";
    }

    /// <summary>Names of the suite's own signals, as the tag <see cref="Tags.Signal"/>, events and the status page show them.</summary>
    public static class SignalNames
    {
        /// <summary>Processor time, share of the quota or the cores.</summary>
        public const string Cpu = "cpu";

        /// <summary>Memory in use, share of the limit.</summary>
        public const string Memory = "memory";

        /// <summary>Memory as it will be in 10 s, share of the limit.</summary>
        public const string MemoryProjected = "memory_projected";

        /// <summary>Garbage collection pauses, share of time.</summary>
        public const string GcPause = "gc_pause";

        /// <summary>Wait of a work item for a thread of the pool, seconds.</summary>
        public const string ThreadPoolDelay = "thread_pool_delay";

        /// <summary>Work items that wait for a thread of the pool.</summary>
        public const string ThreadPoolQueue = "thread_pool_queue";

        /// <summary>Contended locks per second.</summary>
        public const string LockContention = "lock_contention";

        /// <summary>Open file descriptors, share of the limit.</summary>
        public const string FileDescriptors = "file_descriptors";

        /// <summary>Pressure stall information of the processor (some), share of time.</summary>
        public const string CpuPressure = "cpu_pressure";

        /// <summary>Pressure stall information of memory (full), share of time.</summary>
        public const string MemoryPressure = "memory_pressure";

        /// <summary>Encounters with the container's memory limit, per second.</summary>
        public const string MemoryEvents = "memory_events";
    }

    /// <summary>Values of the tag <see cref="Tags.ConnectionRefusal"/>.</summary>
    public static class ConnectionTagValues
    {
        /// <summary>Too few file descriptors were left.</summary>
        public const string Descriptors = "descriptors";

        /// <summary>More connections came than are taken at survival level.</summary>
        public const string Survival = "survival";
    }

    /// <summary>Values of the bulkhead's tags.</summary>
    public static class BulkheadTagValues
    {
        /// <summary>A permit was handed over after waiting.</summary>
        public const string Admitted = "admitted";

        /// <summary>There was no room, or no more room in the queue.</summary>
        public const string BulkheadFull = "bulkhead_full";

        /// <summary>The wait took as long as it may.</summary>
        public const string QueueTimeout = "queue_timeout";

        /// <summary>The caller gave up waiting.</summary>
        public const string Cancelled = "cancelled";
    }

    /// <summary>Values of the fallback's tags.</summary>
    public static class FallbackTagValues
    {
        /// <summary>The endpoint's own fallback.</summary>
        public const string Delegate = "delegate";

        /// <summary>The last good response.</summary>
        public const string Stale = "stale";

        /// <summary>The fallback threw, or the store of responses did.</summary>
        public const string Exception = "exception";

        /// <summary>It took longer than it may.</summary>
        public const string Timeout = "timeout";

        /// <summary>It answered 500 or above itself.</summary>
        public const string Status = "status";

        /// <summary>As many of the endpoint's fallbacks ran as may run at once.</summary>
        public const string BulkheadFull = "bulkhead_full";

        /// <summary>The request's body that it binds was too large to be kept.</summary>
        public const string Body = "body";

        /// <summary>The endpoint needs authorization, and none has run for the request.</summary>
        public const string Unauthorized = "unauthorized";

        /// <summary>No response was kept that is young enough.</summary>
        public const string Miss = "miss";
    }

    /// <summary>Values of the tags of telemetry about telemetry.</summary>
    public static class TelemetryTagValues
    {
        /// <summary>Spans.</summary>
        public const string Traces = "traces";

        /// <summary>Measurements.</summary>
        public const string Metrics = "metrics";

        /// <summary>Log records.</summary>
        public const string Logs = "logs";

        /// <summary>Lines of JSON on the console.</summary>
        public const string Console = "console";

        /// <summary>The collector has taken the batch.</summary>
        public const string Succeeded = "succeeded";

        /// <summary>The collector could not be reached, was too slow, or did not want the batch.</summary>
        public const string Failed = "failed";

        /// <summary>As many waited to be delivered as may wait.</summary>
        public const string QueueFull = "queue_full";

        /// <summary>Their batch could not be delivered.</summary>
        public const string ExportFailed = "export_failed";
    }
}
