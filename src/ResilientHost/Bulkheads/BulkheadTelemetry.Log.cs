using Microsoft.Extensions.Logging;
using ResilientHost.Telemetry;

namespace ResilientHost.Bulkheads;

internal sealed partial class BulkheadTelemetry
{
    [LoggerMessage(
        EventId = EventIds.Bulkheads,
        EventName = "BulkheadRefused",
        Level = LogLevel.Warning,
        Message = "Bulkhead '{Bulkhead}' refused a call ({Reason}): {InFlight} calls inside, limit {Limit}, {Queued} waiting. Further refusals are counted and summed up.")]
    private partial void FirstRefused(string bulkhead, RefusalReason reason, int inFlight, int limit, int queued);

    [LoggerMessage(
        EventId = EventIds.Bulkheads + 1,
        EventName = "BulkheadRefusedMore",
        Level = LogLevel.Warning,
        Message = "Bulkhead '{Bulkhead}' refused {Count} more calls within {Seconds} s: {InFlight} calls inside, limit {Limit}, {Queued} waiting.")]
    private partial void MoreRefused(string bulkhead, long count, double seconds, int inFlight, int limit, int queued);

    [LoggerMessage(
        EventId = EventIds.Bulkheads + 2,
        EventName = "BulkheadOptionsApplied",
        Level = LogLevel.Information,
        Message = "Bulkhead '{Bulkhead}' has new options: mode {Mode}, limit {Limit}, queue length {QueueLength}.")]
    private partial void OptionsApplied(string bulkhead, BulkheadMode mode, int limit, int queueLength);

    [LoggerMessage(
        EventId = EventIds.Bulkheads + 3,
        EventName = "BulkheadShareRefused",
        Level = LogLevel.Warning,
        Message = "Bulkhead '{Bulkhead}' refused a call because its caller has its share of the room and others want theirs: {InFlight} calls inside, limit {Limit}, {Queued} waiting. "
            + "Further refusals are counted and summed up.")]
    private partial void FirstShareRefused(string bulkhead, int inFlight, int limit, int queued);

    [LoggerMessage(
        EventId = EventIds.Bulkheads + 4,
        EventName = "BulkheadShareRefusedMore",
        Level = LogLevel.Warning,
        Message = "Bulkhead '{Bulkhead}' refused {Count} more calls of callers over their share within {Seconds} s: {InFlight} calls inside, limit {Limit}, {Queued} waiting.")]
    private partial void MoreSharesRefused(string bulkhead, long count, double seconds, int inFlight, int limit, int queued);
}
