using Microsoft.Extensions.Logging;
using ResilientHost.Telemetry;

namespace ResilientHost.Fallbacks;

internal sealed partial class StaleResponses
{
    [LoggerMessage(
        EventId = EventIds.Fallbacks + 20,
        EventName = "StaleStoreReadFailed",
        Level = LogLevel.Warning,
        Message = "The store of stale responses '{Store}' gave no answer ({Reason}); the request goes on as if it had none. {More} such failures were not logged since the last one.")]
    private static partial void LogReadFailed(ILogger logger, string store, string reason, long more, Exception? exception);

    [LoggerMessage(
        EventId = EventIds.Fallbacks + 21,
        EventName = "StaleStoreWriteFailed",
        Level = LogLevel.Warning,
        Message = "The store of stale responses '{Store}' did not take a response ({Reason}); {More} such failures were not logged since the last one.")]
    private static partial void LogWriteFailed(ILogger logger, string store, string reason, long more, Exception? exception);
}
