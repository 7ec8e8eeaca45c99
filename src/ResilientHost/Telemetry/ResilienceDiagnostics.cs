namespace ResilientHost;

/// <summary>Names that telemetry backends see: meter, activity source, instruments, tags and span events.</summary>
/// <remarks>These are contract: a dashboard or alert may bind to them. Units follow UCUM; durations are seconds.</remarks>
public static partial class ResilienceDiagnostics
{
    /// <summary>Name of the <see cref="System.Diagnostics.Metrics.Meter"/>: <c>ResilientHost</c>.</summary>
    public const string MeterName = "ResilientHost";

    /// <summary>Name of the <see cref="System.Diagnostics.ActivitySource"/>: <c>ResilientHost</c>.</summary>
    public const string ActivitySourceName = "ResilientHost";

    /// <summary>Exit code of a process whose host was stopped because a worker was given up: 70, <c>EX_SOFTWARE</c> of sysexits.h.</summary>
    /// <remarks>An exit code that the application has set itself, or that its <c>Main</c> returns, is left alone.</remarks>
    public const int GaveUpExitCode = 70;

    /// <summary>Names of spans of the suite's own.</summary>
    public static class Spans
    {
        /// <summary>A fallback: child of the request's span.</summary>
        public const string Fallback = "resilient_host.fallback";

        /// <summary>One attempt of an HTTP client: child of the caller's span, parent of the transport's.</summary>
        public const string OutboundAttempt = "resilient_host.outbound.attempt";

        /// <summary>A cache's factory: child of the span of the caller that started it; a trace of its own in the background.</summary>
        public const string CacheFactory = "resilient_host.cache.factory";

        /// <summary>One iteration of a worker: a trace of its own.</summary>
        public const string WorkerIteration = "resilient_host.worker.iteration";

        /// <summary>One attempt at an item: a trace of its own.</summary>
        public const string WorkItem = "resilient_host.work_item";

        /// <summary>An isolated task: a trace of its own, linked to the one that started it.</summary>
        public const string IsolatedTask = "resilient_host.isolated_task";
    }

    /// <summary>Names of events on the current span.</summary>
    public static class SpanEvents
    {
        /// <summary>The call tripped a circuit, or found it so.</summary>
        public const string CircuitBreakerOpened = "circuit_breaker.opened";

        /// <summary>A circuit refused the call.</summary>
        public const string CircuitBreakerRefused = "circuit_breaker.refused";

        /// <summary>A bulkhead refused the call.</summary>
        public const string BulkheadRefused = "bulkhead.refused";

        /// <summary>The call waited for a bulkhead permit.</summary>
        public const string BulkheadQueued = "bulkhead.queued";

        /// <summary>An attempt failed and is made again.</summary>
        public const string OutboundRetried = "outbound.retried";

        /// <summary>An attempt was slow and got another beside it.</summary>
        public const string OutboundHedged = "outbound.hedged";

        /// <summary>Degradation turned the request down.</summary>
        public const string DegradationShed = "degradation.shed";

        /// <summary>A fallback gave the answer.</summary>
        public const string FallbackServed = "fallback.served";

        /// <summary>A fallback gave no answer.</summary>
        public const string FallbackFailed = "fallback.failed";

        /// <summary>A person operated the layers.</summary>
        public const string OperationDone = "operation.done";

        /// <summary>A person tried to operate the layers and was refused.</summary>
        public const string OperationRefused = "operation.refused";

        /// <summary>The request's timeout ran out.</summary>
        public const string TimeoutExpired = "timeout.expired";

        /// <summary>The endpoint ignored its timeout, and its connection or stream was aborted.</summary>
        public const string TimeoutOverrun = "timeout.overrun";

        /// <summary>An exception was turned into an answer.</summary>
        public const string Recovered = "recovery.recovered";
    }
}
