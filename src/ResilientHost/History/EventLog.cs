using System.Diagnostics;
using Microsoft.Extensions.Logging;
using ResilientHost.Hosting;

namespace ResilientHost.History;

/// <summary>Keeps the latest of the suite's own log events for the people on call. Thread-safe.</summary>
/// <remarks>
/// It is given to the logger factory by <see cref="HistoryRecorder.IsWanted"/>, not registered: applications clear providers, and one without a dashboard has no use for it. Rules for its name,
/// <see cref="Alias"/>, are its own; see <see cref="HistoryServiceCollectionExtensions"/>.
/// </remarks>
[ProviderAlias(Alias)]
internal sealed class EventLog(MonotonicClock clock) : ILoggerProvider
{
    /// <summary>Most events that are kept.</summary>
    public const int Capacity = 200;

    /// <summary>Longest message, in UTF-16 units.</summary>
    public const int MaxMessageLength = 500;

    /// <summary>What configuration calls it.</summary>
    public const string Alias = "ResilienceEvents";

    /// <summary>Whose events are kept: this category, and those below it.</summary>
    public const string Category = "ResilientHost";

    private readonly Lock _gate = new();
    private readonly Queue<LoggedEvent> _events = new();
    private readonly BoundedListeners<LoggedEvent> _listeners = new();
    private long _count;
    private volatile bool _isReached;

    /// <summary>Raised for every event that is kept, in order, with its message.</summary>
    /// <remarks>Handlers run on the thread pool, one event at a time for each. One that blocks or throws harms nobody; up to 1,024 events wait for it, further ones are dropped.</remarks>
    public event Action<LoggedEvent>? Logged
    {
        add => _listeners.Add(value);
        remove => _listeners.Remove(value);
    }

    /// <summary>Whether the logger factory has asked for a logger of the suite's: one that hands events to nobody never does.</summary>
    public bool IsReached => _isReached;

    /// <summary>How many events there have been.</summary>
    public long Count => Interlocked.Read(ref _count);

    /// <summary>The events that are kept, oldest first.</summary>
    /// <param name="namesCallers">Whether messages, which may name callers, are told.</param>
    public IReadOnlyList<LoggedEvent> Read(bool namesCallers)
    {
        lock (_gate)
        {
            return [.. namesCallers ? _events : _events.Select(static logged => logged with { Message = null })];
        }
    }

    /// <inheritdoc/>
    public ILogger CreateLogger(string categoryName)
    {
        if (!IsOwn(categoryName))
        {
            return new CategoryLogger(null);
        }

        _isReached = true;
        return new CategoryLogger(this);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    private static bool IsOwn(string category) =>
        category.StartsWith(Category, StringComparison.Ordinal) && (category.Length == Category.Length || category[Category.Length] == '.');

    private static string Shortened(string message)
    {
        if (message.Length <= MaxMessageLength)
        {
            return message;
        }

        var length = MaxMessageLength - 1;
        return $"{message.AsSpan(0, char.IsHighSurrogate(message[length - 1]) ? length - 1 : length)}…";
    }

    private static string? TraceIdOf<TState>(TState state)
    {
        // One that is named in the event is the better one: many events are written on threads that serve no request.
        if (state is IReadOnlyList<KeyValuePair<string, object?>> values)
        {
            for (var i = 0; i < values.Count; i++)
            {
                if (values[i] is { Key: "TraceId", Value: string { Length: 32 } named } && named.AsSpan().ContainsAnyExcept('0'))
                {
                    return named;
                }
            }
        }

        return Activity.Current is { IdFormat: ActivityIdFormat.W3C } activity && activity.TraceId != default ? activity.TraceId.ToHexString() : null;
    }

    private static string LevelOf(LogLevel level) => level switch
    {
        LogLevel.Information => "information",
        LogLevel.Warning => "warning",
        LogLevel.Error => "error",
        _ => "critical",
    };

    private void Keep(LogLevel level, EventId id, string message, string? traceId)
    {
        var at = clock.UtcNow;
        lock (_gate)
        {
            var logged = new LoggedEvent(++_count, at, id.Id, id.Name, LevelOf(level), EventSlices.Of(id.Id), message, traceId);
            if (_events.Count == Capacity)
            {
                _events.Dequeue();
            }

            _events.Enqueue(logged);
            _listeners.Raise(logged);
        }
    }

    private sealed class CategoryLogger(EventLog? log) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => log is not null && logLevel is >= LogLevel.Information and < LogLevel.None;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel) && eventId.Id is >= EventSlices.First and <= EventSlices.Last and not EventSlices.Requests)
            {
                // Without the exception: its text is the application's, and may hold anything.
                log!.Keep(logLevel, eventId, Shortened(formatter(state, null)), TraceIdOf(state));
            }
        }
    }
}
