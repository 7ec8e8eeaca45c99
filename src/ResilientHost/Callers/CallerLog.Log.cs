using Microsoft.Extensions.Logging;
using ResilientHost.Telemetry;

namespace ResilientHost.Callers;

internal sealed partial class CallerLog
{
    [LoggerMessage(
        EventId = EventIds.Callers,
        EventName = "TrustDelegateFailed",
        Level = LogLevel.Error,
        Message = "TrustedCallers:IsTrusted threw {ExceptionType} at {ThrowSite}; the caller is not trusted. Further failures are counted and summed up.")]
    private partial void FirstTrustFailed(string exceptionType, string throwSite);

    [LoggerMessage(
        EventId = EventIds.Callers + 1,
        EventName = "TrustDelegateFailedMore",
        Level = LogLevel.Error,
        Message = "TrustedCallers:IsTrusted threw {Count} more times within {Seconds} s.")]
    private partial void MoreTrustFailed(long count, double seconds);

    [LoggerMessage(
        EventId = EventIds.Callers + 2,
        EventName = "PartitionKeyFailed",
        Level = LogLevel.Error,
        Message = "A caller could not be told apart: {ExceptionType} at {ThrowSite}. The request counts for nobody in particular. Further failures are counted and summed up.")]
    private partial void FirstKeyFailed(string exceptionType, string throwSite);

    [LoggerMessage(
        EventId = EventIds.Callers + 3,
        EventName = "PartitionKeyFailedMore",
        Level = LogLevel.Error,
        Message = "{Count} more callers within {Seconds} s could not be told apart because of an exception.")]
    private partial void MoreKeyFailed(long count, double seconds);
}
