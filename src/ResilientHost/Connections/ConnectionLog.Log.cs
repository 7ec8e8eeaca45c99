using Microsoft.Extensions.Logging;
using ResilientHost.Telemetry;

namespace ResilientHost.Connections;

internal sealed partial class ConnectionLog
{
    [LoggerMessage(
        EventId = EventIds.Connections,
        EventName = "ConnectionRefusedForDescriptors",
        Level = LogLevel.Warning,
        Message = "A new connection was closed as it was accepted: {Left} of {Limit} file descriptors are left, and {Reserved} are kept for the requests that run. "
            + "Find out what holds them (ls -l /proc/PID/fd), or raise the limit (ulimit -n). Further ones are counted and summed up.")]
    private partial void FirstRefusedForDescriptors(int left, int limit, int reserved);

    [LoggerMessage(
        EventId = EventIds.Connections + 1,
        EventName = "ConnectionRefusedForDescriptorsMore",
        Level = LogLevel.Warning,
        Message = "{Count} more new connections were closed for want of file descriptors within {Seconds} s.")]
    private partial void MoreRefusedForDescriptors(long count, double seconds);

    [LoggerMessage(
        EventId = EventIds.Connections + 2,
        EventName = "ConnectionRefusedForSurvival",
        Level = LogLevel.Warning,
        Message = "A new connection was closed as it was accepted: at service level Survival {ConnectionsPerSecond} are taken per second. Further ones are counted and summed up.")]
    private partial void FirstRefusedForSurvival(int connectionsPerSecond);

    [LoggerMessage(
        EventId = EventIds.Connections + 3,
        EventName = "ConnectionRefusedForSurvivalMore",
        Level = LogLevel.Warning,
        Message = "{Count} more new connections were closed at service level Survival within {Seconds} s.")]
    private partial void MoreRefusedForSurvival(long count, double seconds);

    [LoggerMessage(
        EventId = EventIds.Connections + 4,
        EventName = "AcceptingPaused",
        Level = LogLevel.Error,
        Message = "No new connections are accepted until file descriptors come free: {Left} of {Limit} are left. Open connections are served on. Further pauses are counted and summed up.")]
    private partial void FirstPaused(int left, int limit);

    [LoggerMessage(
        EventId = EventIds.Connections + 5,
        EventName = "AcceptingPausedMore",
        Level = LogLevel.Error,
        Message = "Accepting connections paused {Count} more times for want of file descriptors within {Seconds} s.")]
    private partial void MorePaused(long count, double seconds);
}
