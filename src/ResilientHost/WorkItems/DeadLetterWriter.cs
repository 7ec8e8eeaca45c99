using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using ResilientHost.DeadLetters;
using ResilientHost.Hosting;
using ResilientHost.Recovery;

namespace ResilientHost.WorkItems;

/// <summary>Makes the dead letters of one processing and hands them to the sink. Thread-safe.</summary>
internal sealed class DeadLetterWriter<T>(
    string worker, string processing, IDeadLetterSink sink, JsonTypeInfo<T>? json, MonotonicClock clock, DeadLetterMetrics metrics, WorkItemLog log)
{
    private const int MaxMessageLength = 1024;

    public string Worker => worker;

    public string Processing => processing;

    public WorkItemLog Log => log;

    public MonotonicClock Clock => clock;

    /// <summary>Keeps an item as a dead letter.</summary>
    /// <exception cref="Exception">Whatever the sink throws: the letter is not kept.</exception>
    public async Task WriteAsync(WorkItem<T> work, DeadLetterReason reason, FailedAttempt? failure, CancellationToken cancellationToken)
    {
        var letter = LetterOf(work, reason, failure);
        await sink.WriteAsync(letter, cancellationToken);
        metrics.Written(worker, processing, reason);
        if (reason == DeadLetterReason.Poison)
        {
            log.Poison(worker, processing, work.Id, work.Attempts, letter.Id, failure?.Exception);
        }
    }

    public void NotKept(WorkItem<T> work, DeadLetterReason reason, bool isFirst, Exception exception)
    {
        if (isFirst)
        {
            metrics.Failed(worker, processing, reason);
        }

        log.NotKept(worker, processing, work.Id, exception);
    }

    private static string MessageOf(Exception exception)
    {
        try
        {
            return LogText.Clean(exception.Message, MaxMessageLength) is var text && text.Length > MaxMessageLength ? text[..MaxMessageLength] : text;
        }
        catch (Exception)
        {
            // Message is virtual.
            return "(the message cannot be read)";
        }
    }

    private static string NameOf(Type type) => type.FullName ?? type.Name;

    private DeadLetter LetterOf(WorkItem<T> work, DeadLetterReason reason, FailedAttempt? failure)
    {
        var (item, isWhole) = Serialize(work.Value);
        return new()
        {
            Id = DeadLetterId.Next(clock.UtcNow),
            Worker = worker,
            Source = processing,
            Item = item,
            ItemType = NameOf(json is null && work.Value is { } value ? value.GetType() : typeof(T)),
            IsTruncated = !isWhole,
            Reason = reason,
            Attempts = work.Attempts,
            ExceptionType = failure is null ? null : TypeNames.Of(failure.Exception),
            ExceptionMessage = failure is null ? null : MessageOf(failure.Exception),
            TraceId = failure?.TraceId,
            At = failure?.At ?? clock.UtcNow,
        };
    }

    private (string Json, bool IsWhole) Serialize(T value)
    {
        try
        {
            return (json is not null ? JsonSerializer.Serialize(value, json) : SerializeByReflection(value), true);
        }
        catch (Exception exception)
        {
            // What cannot be serialized is kept as well as it can be: the letter says so.
            return ($"\"{JsonEncodedText.Encode(Describe(value, exception))}\"", false);
        }
    }

    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = "WorkItemOptions.JsonTypeInfo is for trimmed applications; without it the letter says that its item is not whole.")]
    private static string SerializeByReflection(T value) => JsonSerializer.Serialize(value, value?.GetType() ?? typeof(T));

    private static string Describe(T value, Exception why)
    {
        try
        {
            return $"{value} (not serialized: {TypeNames.Of(why)})";
        }
        catch (Exception)
        {
            return $"(not serialized: {TypeNames.Of(why)})";
        }
    }
}
