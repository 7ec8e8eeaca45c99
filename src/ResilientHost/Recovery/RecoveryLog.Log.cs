using Microsoft.Extensions.Logging;
using ResilientHost.Telemetry;

namespace ResilientHost.Recovery;

internal sealed partial class RecoveryLog
{
    [LoggerMessage(EventIds.Recovery, LogLevel.Error, "{Endpoint} ({Method}) failed with {ExceptionType} and was answered with {StatusCode}. Origin {Origin}, trace {TraceId}, request {RequestId}, user {UserId}, layers {Layers}.")]
    private static partial void LogAnswered(ILogger logger, string endpoint, string method, string exceptionType, int statusCode, string origin, string traceId, string requestId, string userId, string layers, Exception exception);

    [LoggerMessage(EventIds.Recovery + 1, LogLevel.Error, "{Endpoint} ({Method}) failed with {ExceptionType} after its answer had begun; the connection was aborted. Origin {Origin}, trace {TraceId}, request {RequestId}, user {UserId}, layers {Layers}.")]
    private static partial void LogAborted(ILogger logger, string endpoint, string method, string exceptionType, string origin, string traceId, string requestId, string userId, string layers, Exception exception);

    [LoggerMessage(EventIds.Recovery + 10, LogLevel.Error, "{Endpoint} ({Method}) failed with {ExceptionType}; a fallback answered in place of {StatusCode}. Origin {Origin}, trace {TraceId}, request {RequestId}, user {UserId}, layers {Layers}.")]
    private static partial void LogFellBack(ILogger logger, string endpoint, string method, string exceptionType, int statusCode, string origin, string traceId, string requestId, string userId, string layers, Exception exception);

    [LoggerMessage(EventIds.Recovery + 2, LogLevel.Warning, "{Repeats} more of {ExceptionType} at {ThrowSite} in {Endpoint} ({FailureKind}) within {Seconds} s.")]
    private static partial void LogRepeats(ILogger logger, long repeats, string exceptionType, string throwSite, string endpoint, FailureKind failureKind, double seconds);

    [LoggerMessage(EventIds.Recovery + 3, LogLevel.Debug, "{Endpoint} ended with {ExceptionType}, which means {StatusCode}. Trace {TraceId}, request {RequestId}.")]
    private static partial void LogAnsweredBelow500(ILogger logger, string endpoint, string exceptionType, int statusCode, string traceId, string requestId);

    [LoggerMessage(EventIds.Recovery + 4, LogLevel.Debug, "The client of {Endpoint} left before the answer. Trace {TraceId}, request {RequestId}.")]
    private static partial void LogClientGone(ILogger logger, string endpoint, string traceId, string requestId);

    [LoggerMessage(EventIds.Recovery + 5, LogLevel.Error, "An IExceptionHandler threw {ExceptionType} while it handled a failure of {Endpoint} ({Method}); the next one is asked. Trace {TraceId}, request {RequestId}.")]
    private static partial void LogHandlerThrew(ILogger logger, string endpoint, string method, string exceptionType, string traceId, string requestId, Exception exception);

    [LoggerMessage(EventIds.Recovery + 6, LogLevel.Warning, "The customisation of problem details threw {ExceptionType} for {Endpoint}; the standard problem was sent. Trace {TraceId}.")]
    private static partial void LogCustomizationFailed(ILogger logger, string endpoint, string exceptionType, string traceId, Exception exception);

    [LoggerMessage(EventIds.Recovery + 7, LogLevel.Error, "The answer to a failure of {Endpoint} ({Method}) could not be written: {ExceptionType}; the connection was aborted. Trace {TraceId}, request {RequestId}.")]
    private static partial void LogAnswerFailed(ILogger logger, string endpoint, string method, string exceptionType, string traceId, string requestId, Exception exception);

    [LoggerMessage(EventIds.Recovery + 8, LogLevel.Error, "A task that nobody awaited failed with {ExceptionType}.")]
    private static partial void LogUnobservedTask(ILogger logger, string exceptionType, Exception exception);

    [LoggerMessage(EventIds.Recovery + 9, LogLevel.Critical, "Nobody caught {ExceptionType} (process ends: {IsTerminating}).")]
    private static partial void LogUnhandled(ILogger logger, string exceptionType, bool isTerminating, Exception exception);
}
