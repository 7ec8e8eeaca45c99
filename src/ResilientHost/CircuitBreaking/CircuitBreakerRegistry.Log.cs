using Microsoft.Extensions.Logging;

using ResilientHost.Telemetry;

namespace ResilientHost;

public sealed partial class CircuitBreakerRegistry
{
    private static partial class Log
    {
        [LoggerMessage(EventIds.CircuitBreaking, LogLevel.Warning, "Circuit breaker '{Name}' opened ({Cause}, era {Era}) at {At:O}; calls are refused. Trace {TraceId}.")]
        public static partial void Opened(ILogger logger, string name, CircuitTransitionCause cause, long era, DateTimeOffset at, string traceId);

        [LoggerMessage(EventIds.CircuitBreaking + 1, LogLevel.Information, "Circuit breaker '{Name}' is half-open since {At:O} (era {Era}); probes may pass.")]
        public static partial void HalfOpened(ILogger logger, string name, long era, DateTimeOffset at);

        [LoggerMessage(EventIds.CircuitBreaking + 2, LogLevel.Information, "Circuit breaker '{Name}' closed ({Cause}, era {Era}) at {At:O}.")]
        public static partial void Closed(ILogger logger, string name, CircuitTransitionCause cause, long era, DateTimeOffset at);

        [LoggerMessage(EventIds.CircuitBreaking + 3, LogLevel.Warning, "Circuit breaker '{Name}' was moved from {From} to {To} by hand or configuration (era {Era}) at {At:O}.")]
        public static partial void Moved(ILogger logger, string name, CircuitState from, CircuitState to, long era, DateTimeOffset at);

        [LoggerMessage(EventIds.CircuitBreaking + 4, LogLevel.Error, "A listener to the transitions of circuit breaker '{Name}' threw; later transitions are still delivered.")]
        public static partial void ListenerFailed(ILogger logger, Exception exception, string name);

        [LoggerMessage(EventIds.CircuitBreaking + 5, LogLevel.Warning, "In shadow mode circuit breaker '{Name}' would have opened ({Cause}, era {Era}) at {At:O}; calls still pass. Trace {TraceId}.")]
        public static partial void WouldHaveOpened(ILogger logger, string name, CircuitTransitionCause cause, long era, DateTimeOffset at, string traceId);
    }
}
