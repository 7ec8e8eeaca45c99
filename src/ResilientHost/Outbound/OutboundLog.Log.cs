using Microsoft.Extensions.Logging;
using ResilientHost.Telemetry;

namespace ResilientHost.Outbound;

internal sealed partial class OutboundLog
{
    [LoggerMessage(EventIds.Outbound + 60, LogLevel.Debug, "Attempt {Number} of a call by '{Client}' failed ({Failure}); it is made again in {Delay} ms.")]
    private static partial void LogRetrying(ILogger logger, string client, int number, string failure, double delay);

    [LoggerMessage(EventIds.Outbound + 61, LogLevel.Debug, "A call by '{Client}' gets attempt {Number} beside the one before ({Failure}).")]
    private static partial void LogHedging(ILogger logger, string client, int number, string failure);

    [LoggerMessage(EventIds.Outbound + 62, LogLevel.Warning, "A call by '{Client}' was refused ({Reason}).")]
    private static partial void LogRefused(ILogger logger, string client, string reason);

    [LoggerMessage(EventIds.Outbound + 63, LogLevel.Warning, "{More} more calls by '{Client}' were refused within the last {Seconds} s.")]
    private static partial void LogMoreRefused(ILogger logger, string client, long more, double seconds);

    [LoggerMessage(EventIds.Outbound + 64, LogLevel.Warning, "A further attempt of a call by '{Client}' was not made: its budget of retries is spent.")]
    private static partial void LogExhausted(ILogger logger, string client);

    [LoggerMessage(EventIds.Outbound + 65, LogLevel.Warning, "{More} more attempts by '{Client}' were not made within the last {Seconds} s: its budget of retries is spent.")]
    private static partial void LogMoreExhausted(ILogger logger, string client, long more, double seconds);

    [LoggerMessage(EventIds.Outbound + 66, LogLevel.Warning, "The body of a response to '{Client}' failed after its headers had come ({Failure}).")]
    private static partial void LogBodyFailed(ILogger logger, string client, string failure);

    [LoggerMessage(EventIds.Outbound + 67, LogLevel.Warning, "{More} more bodies of responses to '{Client}' failed within the last {Seconds} s.")]
    private static partial void LogMoreBodiesFailed(ILogger logger, string client, long more, double seconds);
}
