using Microsoft.Extensions.Logging;
using ResilientHost.Telemetry;

namespace ResilientHost.WorkItems;

internal sealed partial class WorkItemLog
{
    [LoggerMessage(
        EventId = EventIds.WorkItems,
        EventName = "WorkItemFailed",
        Level = LogLevel.Warning,
        Message = "Attempt {Attempt} at item {Item} of '{Processing}' of worker '{Worker}' failed; it is tried again. Further failures are counted and summed up.")]
    private partial void LogFailed(Exception exception, int attempt, long item, string processing, string worker);

    [LoggerMessage(
        EventId = EventIds.WorkItems + 1,
        EventName = "WorkItemsFailedMore",
        Level = LogLevel.Warning,
        Message = "{Count} more attempts at work items failed within {Seconds} s and are tried again.")]
    private partial void LogFailedMore(long count, double seconds);

    [LoggerMessage(
        EventId = EventIds.WorkItems + 2,
        EventName = "WorkItemPoison",
        Level = LogLevel.Error,
        Message = "Item {Item} of '{Processing}' of worker '{Worker}' failed for good after {Attempts} attempts and is dead letter {Letter}. Further ones are counted and summed up.")]
    private partial void LogPoison(Exception? exception, long item, string processing, string worker, int attempts, string letter);

    [LoggerMessage(
        EventId = EventIds.WorkItems + 3,
        EventName = "WorkItemsPoisonMore",
        Level = LogLevel.Error,
        Message = "{Count} more work items became dead letters within {Seconds} s.")]
    private partial void LogPoisonMore(long count, double seconds);

    [LoggerMessage(
        EventId = EventIds.WorkItems + 4,
        EventName = "DeadLetterNotKept",
        Level = LogLevel.Error,
        Message = "Item {Item} of '{Processing}' of worker '{Worker}' cannot be kept as a dead letter. It is offered again, and no further items are taken until it is kept. Further failures are counted and summed up.")]
    private partial void LogNotKept(Exception exception, long item, string processing, string worker);

    [LoggerMessage(
        EventId = EventIds.WorkItems + 5,
        EventName = "DeadLettersNotKeptMore",
        Level = LogLevel.Error,
        Message = "{Count} more times dead letters could not be kept within {Seconds} s.")]
    private partial void LogNotKeptMore(long count, double seconds);

    [LoggerMessage(
        EventId = EventIds.WorkItems + 6,
        EventName = "WorkItemsLeftAtShutdown",
        Level = LogLevel.Warning,
        Message = "{Count} items of '{Processing}' of worker '{Worker}' were not processed before the host stopped; they are in the dead letters.")]
    private partial void LogLeft(int count, string processing, string worker);

    [LoggerMessage(
        EventId = EventIds.WorkItems + 7,
        EventName = "WorkItemsLost",
        Level = LogLevel.Critical,
        Message = "Items of '{Processing}' of worker '{Worker}' are lost: the host stops, and they cannot be kept as dead letters.")]
    private partial void LogLost(Exception? exception, string processing, string worker);

    [LoggerMessage(
        EventId = EventIds.WorkItems + 8,
        EventName = "WorkItemsOverdue",
        Level = LogLevel.Warning,
        Message = "{Count} items of '{Processing}' of worker '{Worker}' are still being processed {Seconds} s after run {Run} was asked to stop. They are not given to anybody else while they are.")]
    private partial void LogOverdue(int count, string processing, string worker, double seconds, int run);

    [LoggerMessage(
        EventId = EventIds.WorkItems + 9,
        EventName = "JournalUnreadable",
        Level = LogLevel.Error,
        Message = "The journal in '{Directory}' had records that could not be read when it was opened: {Buried} are dead letters, {Kept} could not be kept as such and stay in it.")]
    private partial void LogUnreadable(string directory, int buried, int kept);
}
