using Microsoft.Extensions.Logging;
using ResilientHost.Telemetry;

namespace ResilientHost.Workers;

internal sealed partial class WorkerLog
{
    [LoggerMessage(
        EventId = EventIds.Workers,
        EventName = "WorkerFailed",
        Level = LogLevel.Error,
        Message = "Worker '{Worker}' failed in run {Run}.{Detail}")]
    private partial void RunFailed(Exception? exception, string worker, int run, string detail);

    [LoggerMessage(
        EventId = EventIds.Workers + 1,
        EventName = "WorkerFailedAgain",
        Level = LogLevel.Warning,
        Message = "Worker '{Worker}' failed in run {Run} as before ({ExceptionType}).{Detail}")]
    private partial void RunFailedAgain(string worker, int run, string exceptionType, string detail);

    [LoggerMessage(
        EventId = EventIds.Workers + 2,
        EventName = "WorkerRunning",
        Level = LogLevel.Information,
        Message = "Worker '{Worker}' runs: run {Run}, cause {Cause}.{Detail}")]
    private partial void Runs(string worker, int run, WorkerTransitionCause cause, string detail);

    [LoggerMessage(
        EventId = EventIds.Workers + 3,
        EventName = "WorkerPaused",
        Level = LogLevel.Information,
        Message = "Worker '{Worker}' pauses, cause {Cause}.{Detail}")]
    private partial void Pauses(string worker, WorkerTransitionCause cause, string detail);

    [LoggerMessage(
        EventId = EventIds.Workers + 4,
        EventName = "WorkerStuck",
        Level = LogLevel.Error,
        Message = "Worker '{Worker}' is stuck in run {Run}.{Detail}")]
    private partial void IsStuck(string worker, int run, string detail);

    [LoggerMessage(
        EventId = EventIds.Workers + 5,
        EventName = "WorkerHeardAgain",
        Level = LogLevel.Warning,
        Message = "Worker '{Worker}' was heard of again in run {Run}.{Detail}")]
    private partial void IsHeardAgain(string worker, int run, string detail);

    [LoggerMessage(
        EventId = EventIds.Workers + 6,
        EventName = "WorkerEnded",
        Level = LogLevel.Information,
        Message = "Worker '{Worker}' is {State} after run {Run}, cause {Cause}.{Detail}")]
    private partial void Ended(string worker, WorkerState state, int run, WorkerTransitionCause cause, string detail);

    [LoggerMessage(
        EventId = EventIds.Workers + 7,
        EventName = "WorkerFailedForGood",
        Level = LogLevel.Error,
        Message = "Worker '{Worker}' failed in run {Run} and is not started again, cause {Cause}.{Detail}")]
    private partial void FailedForGood(Exception? exception, string worker, int run, WorkerTransitionCause cause, string detail);

    [LoggerMessage(
        EventId = EventIds.Workers + 8,
        EventName = "WorkerGaveUp",
        Level = LogLevel.Error,
        Message = "{Who} was given up: {Why}. Everything else goes on; readiness is degraded until it runs again.")]
    private partial void GaveUpOn(Exception? exception, string who, string why);

    [LoggerMessage(
        EventId = EventIds.Workers + 9,
        EventName = "WorkerGaveUpHost",
        Level = LogLevel.Critical,
        Message = "{Who} was given up: {Why}. The host stops, so that it can be started afresh.")]
    private partial void GaveUpOnHost(Exception? exception, string who, string why);

    [LoggerMessage(
        EventId = EventIds.Workers + 10,
        EventName = "WorkerAbandoned",
        Level = LogLevel.Error,
        Message = "Run {Run} of worker '{Worker}' did not end within {Seconds} s of being asked to, and is left behind. It did last: {Activity}.")]
    private partial void IsAbandoned(string worker, int run, double seconds, string activity);

    [LoggerMessage(
        EventId = EventIds.Workers + 11,
        EventName = "WorkerAbandonedEnded",
        Level = LogLevel.Warning,
        Message = "Run {Run} of worker '{Worker}', left behind {Seconds} s ago, has ended.")]
    private partial void AbandonedHasEnded(string worker, int run, double seconds);

    [LoggerMessage(
        EventId = EventIds.Workers + 12,
        EventName = "WorkerFailedWhileStopping",
        Level = LogLevel.Warning,
        Message = "Run {Run} of worker '{Worker}' failed when it was already to end; nothing follows from it.")]
    private partial void FailedLate(Exception exception, string worker, int run);

    [LoggerMessage(
        EventId = EventIds.Workers + 13,
        EventName = "WorkerListenerFailed",
        Level = LogLevel.Error,
        Message = "A listener to changes of workers threw at a change of '{Worker}'; later changes are still delivered.")]
    private partial void ListenerThrew(Exception exception, string worker);
}
