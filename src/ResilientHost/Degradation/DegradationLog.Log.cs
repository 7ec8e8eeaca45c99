using Microsoft.Extensions.Logging;
using ResilientHost.Telemetry;

namespace ResilientHost.Degradation;

internal sealed partial class DegradationLog
{
    [LoggerMessage(
        EventId = EventIds.Degradation,
        EventName = "ServiceLevelRose",
        Level = LogLevel.Warning,
        Message = "Service level changed from {From} to {To} because of {Signal} at {At:O}; {Consequence}. {Signals}")]
    private partial void Rose(ServiceLevel from, ServiceLevel to, string? signal, DateTimeOffset at, string consequence, string signals);

    [LoggerMessage(
        EventId = EventIds.Degradation + 1,
        EventName = "ServiceLevelFell",
        Level = LogLevel.Information,
        Message = "Service level recovered from {From} to {To} at {At:O}. {Signals}")]
    private partial void Fell(ServiceLevel from, ServiceLevel to, DateTimeOffset at, string signals);

    [LoggerMessage(
        EventId = EventIds.Degradation + 2,
        EventName = "ServiceLevelResumed",
        Level = LogLevel.Warning,
        Message = "Service level changed from {From} to {To} at {At:O}: an override ended, or degradation was turned off or on. {Signals}")]
    private partial void Resumed(ServiceLevel from, ServiceLevel to, DateTimeOffset at, string signals);

    [LoggerMessage(
        EventId = EventIds.Degradation + 3,
        EventName = "ServiceLevelOverridden",
        Level = LogLevel.Warning,
        Message = "The service level is held at {Level} by {By} until {Until}; the signals ask for {SignalledLevel}.")]
    private partial void HeldByHand(ServiceLevel level, string by, string until, ServiceLevel signalledLevel);

    [LoggerMessage(
        EventId = EventIds.Degradation + 4,
        EventName = "ServiceLevelOverrideEnded",
        Level = LogLevel.Warning,
        Message = "The override of the service level to {Overridden} by {SetBy} {How}; the level is {Level}.")]
    private partial void HandTakenOff(ServiceLevel overridden, string setBy, string how, ServiceLevel level);

    [LoggerMessage(
        EventId = EventIds.Degradation + 5,
        EventName = "ServiceLevelListenerFailed",
        Level = LogLevel.Error,
        Message = "A listener to changes of the service level threw; later changes are still delivered.")]
    private partial void ListenerThrew(Exception exception);

    [LoggerMessage(
        EventId = EventIds.Degradation + 6,
        EventName = "SignalsMissing",
        Level = LogLevel.Information,
        Message = "These signals cannot be read here and have no say in the service level: {Missing}.")]
    private partial void SignalsMissing(string missing);

    [LoggerMessage(
        EventId = EventIds.Degradation + 7,
        EventName = "SignalHasNoSay",
        Level = LogLevel.Warning,
        Message = "Signal '{Signal}' {What}. It has no say in the service level while it does; it is asked again each time, and this is not logged again.")]
    private partial void SignalHasNoSay(Exception? exception, string signal, string what);

    [LoggerMessage(
        EventId = EventIds.Degradation + 8,
        EventName = "RequestShed",
        Level = LogLevel.Warning,
        Message = "A request of criticality {Criticality} for {Endpoint} was turned down at service level {Level} (severity {Severity:0.###}). Further ones are counted and summed up.")]
    private partial void FirstShed(string endpoint, Criticality criticality, ServiceLevel level, double severity);

    [LoggerMessage(
        EventId = EventIds.Degradation + 9,
        EventName = "RequestShedMore",
        Level = LogLevel.Warning,
        Message = "{Count} more requests were turned down by degradation within {Seconds} s.")]
    private partial void MoreShed(long count, double seconds);

    [LoggerMessage(
        EventId = EventIds.Degradation + 10,
        EventName = "SamplingFailed",
        Level = LogLevel.Error,
        Message = "A signal could not be read; it has no say in the service level until it can. Further failures are counted and summed up.")]
    private partial void FirstPassFailed(Exception exception);

    [LoggerMessage(
        EventId = EventIds.Degradation + 11,
        EventName = "SamplingFailedMore",
        Level = LogLevel.Error,
        Message = "Reading signals failed {Count} more times within {Seconds} s.")]
    private partial void MorePassesFailed(long count, double seconds);
}
