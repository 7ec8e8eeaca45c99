using Microsoft.Extensions.Logging;
using ResilientHost.Telemetry;

namespace ResilientHost.IsolatedTasks;

internal sealed partial class IsolatedTaskLog
{
    [LoggerMessage(
        EventId = EventIds.IsolatedTasks,
        EventName = "IsolatedTaskFailed",
        Level = LogLevel.Error,
        Message = "Isolated task '{TaskName}' failed with {ExceptionType} after {Seconds:0.###} s. Started at {Origin}, trace {OriginTraceId}.")]
    private partial void Threw(string taskName, string exceptionType, double seconds, string origin, string originTraceId, Exception exception);

    [LoggerMessage(
        EventId = EventIds.IsolatedTasks + 1,
        EventName = "IsolatedTaskFailedMore",
        Level = LogLevel.Warning,
        Message = "{Repeats} more isolated tasks '{TaskName}' failed with {ExceptionType} at {ThrowSite} within {Seconds} s.")]
    private partial void FailedMore(long repeats, string taskName, string exceptionType, string throwSite, double seconds);

    [LoggerMessage(
        EventId = EventIds.IsolatedTasks + 2,
        EventName = "IsolatedTaskRefused",
        Level = LogLevel.Warning,
        Message = "Isolated task '{TaskName}' was refused: {Live} of its name live, and there is no room for more (Resilience:IsolatedTasks). Started at {Origin}. Further refusals are counted and summed up.")]
    private partial void RefusedFull(string taskName, int live, string origin);

    [LoggerMessage(
        EventId = EventIds.IsolatedTasks + 3,
        EventName = "IsolatedTaskRefusedMore",
        Level = LogLevel.Warning,
        Message = "{Count} more isolated tasks were refused for want of room within {Seconds} s.")]
    private partial void RefusedFullMore(long count, double seconds);

    [LoggerMessage(
        EventId = EventIds.IsolatedTasks + 4,
        EventName = "IsolatedTaskRefusedStopping",
        Level = LogLevel.Warning,
        Message = "Isolated task '{TaskName}' was refused: the host is stopping. Started at {Origin}. Further refusals are counted and summed up.")]
    private partial void RefusedStopping(string taskName, string origin);

    [LoggerMessage(
        EventId = EventIds.IsolatedTasks + 5,
        EventName = "IsolatedTaskRefusedStoppingMore",
        Level = LogLevel.Warning,
        Message = "{Count} more isolated tasks were refused within {Seconds} s because the host is stopping.")]
    private partial void RefusedStoppingMore(long count, double seconds);

    [LoggerMessage(
        EventId = EventIds.IsolatedTasks + 6,
        EventName = "IsolatedTaskLeak",
        Level = LogLevel.Warning,
        Message = "Isolated tasks '{TaskName}' pile up: {Live} live, {Growth} more than {Window} ago. The oldest has run for {OldestSeconds:0.###} s; it was started at {Origin}, trace {OriginTraceId}.")]
    private partial void Grows(string taskName, int live, int growth, TimeSpan window, double oldestSeconds, string origin, string originTraceId);

    [LoggerMessage(
        EventId = EventIds.IsolatedTasks + 7,
        EventName = "IsolatedTaskLeakEnded",
        Level = LogLevel.Information,
        Message = "Isolated tasks '{TaskName}' pile up no more: {Live} live.")]
    private partial void GrowsNoMore(string taskName, int live);

    [LoggerMessage(
        EventId = EventIds.IsolatedTasks + 8,
        EventName = "IsolatedTasksDraining",
        Level = LogLevel.Information,
        Message = "Waiting up to {Seconds:0.###} s for {Count} isolated tasks: {Tasks}.")]
    private partial void WaitsFor(int count, double seconds, string tasks);

    [LoggerMessage(
        EventId = EventIds.IsolatedTasks + 9,
        EventName = "IsolatedTasksDrained",
        Level = LogLevel.Information,
        Message = "All isolated tasks have ended, after {Seconds:0.###} s.")]
    private partial void AllEnded(double seconds);

    [LoggerMessage(
        EventId = EventIds.IsolatedTasks + 10,
        EventName = "IsolatedTasksLeftBehind",
        Level = LogLevel.Warning,
        Message = "{Count} isolated tasks did not end within {Seconds:0.###} s, and the host goes on stopping without them: {Tasks}.")]
    private partial void NotEnded(int count, double seconds, string tasks);

    [LoggerMessage(
        EventId = EventIds.IsolatedTasks + 11,
        EventName = "IsolatedTaskCancellationThrew",
        Level = LogLevel.Error,
        Message = "What an isolated task registered with its token threw when the token was cancelled.")]
    private partial void CallbackThrew(Exception exception);

    [LoggerMessage(
        EventId = EventIds.IsolatedTasks + 12,
        EventName = "IsolatedTaskWatchFailed",
        Level = LogLevel.Error,
        Message = "Looking for isolated tasks that pile up failed; it is tried again.")]
    private partial void LookFailed(Exception exception);
}
