using Microsoft.Extensions.Logging;
using ResilientHost.Telemetry;

namespace ResilientHost.Workers;

internal sealed partial class WorkerIterationLog
{
    [LoggerMessage(
        EventId = EventIds.Workers + 30,
        EventName = "WorkerIterationFailed",
        Level = LogLevel.Error,
        Message = "Iteration '{Iteration}' of worker '{Worker}' failed in run {Run}; the run goes on. Repeats are counted and summed up.")]
    private partial void LogFailed(Exception exception, string iteration, string worker, int run);

    [LoggerMessage(
        EventId = EventIds.Workers + 31,
        EventName = "WorkerIterationFailedMore",
        Level = LogLevel.Error,
        Message = "'{Source}' (worker/iteration) failed {Count} more times with {ExceptionType} within {Seconds} s.")]
    private partial void LogFailedMore(string source, long count, string exceptionType, double seconds);

    [LoggerMessage(
        EventId = EventIds.Workers + 32,
        EventName = "WorkerLookFailed",
        Level = LogLevel.Error,
        Message = "The watcher could not look at worker '{Worker}'; it goes on with the others. Repeats are counted and summed up.")]
    private partial void LogLookFailed(Exception exception, string worker);
}
