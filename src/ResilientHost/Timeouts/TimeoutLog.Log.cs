using Microsoft.Extensions.Logging;
using ResilientHost.Telemetry;

namespace ResilientHost.Timeouts;

internal sealed partial class TimeoutLog
{
    [LoggerMessage(
        EventId = EventIds.Timeouts,
        EventName = "TimeoutExpired",
        Level = LogLevel.Warning,
        Message = "{Endpoint} did not begin its answer within {TimeoutSeconds} s and was cancelled. Trace {TraceId}. Further ones are counted and summed up.")]
    private partial void FirstExpired(string endpoint, double timeoutSeconds, string traceId);

    [LoggerMessage(
        EventId = EventIds.Timeouts + 1,
        EventName = "TimeoutExpiredMore",
        Level = LogLevel.Warning,
        Message = "{Endpoint} ran into its timeout {Count} more times within {Seconds} s.")]
    private partial void MoreExpired(string endpoint, long count, double seconds);

    [LoggerMessage(
        EventId = EventIds.Timeouts + 2,
        EventName = "TimeoutOverrun",
        Level = LogLevel.Warning,
        Message = "{Endpoint} did not return within {GraceSeconds} s of being cancelled by its timeout of {TimeoutSeconds} s; its connection or stream was aborted, "
            + "and it still holds its permits. Make it observe HttpContext.RequestAborted. Trace {TraceId}. Further ones are counted and summed up.")]
    private partial void FirstOverrun(string endpoint, double timeoutSeconds, double graceSeconds, string traceId);

    [LoggerMessage(
        EventId = EventIds.Timeouts + 3,
        EventName = "TimeoutOverrunMore",
        Level = LogLevel.Warning,
        Message = "{Endpoint} ignored its timeout {Count} more times within {Seconds} s; the connections or streams were aborted.")]
    private partial void MoreOverruns(string endpoint, long count, double seconds);
}
