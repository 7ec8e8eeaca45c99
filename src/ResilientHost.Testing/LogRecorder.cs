using Microsoft.Extensions.Logging;

namespace ResilientHost.Testing;

/// <summary>A logger provider that keeps what is logged.</summary>
/// <remarks>
/// Thread-safe. Keeps the newest entries up to its capacity. Register it with <c>logging.AddProvider(recorder)</c>, or use
/// <see cref="CreateLogger"/> alone. Every level is recorded; the host's filters apply before.
/// </remarks>
public sealed class LogRecorder : ILoggerProvider, ISupportExternalScope
{
    private readonly RecordBuffer<RecordedLog> _buffer;
    private IExternalScopeProvider _scopes = new LoggerExternalScopeProvider();
    private volatile bool _stopped;

    /// <summary>Starts to record.</summary>
    /// <param name="capacity">Entries kept; at least 1, 10,000 by default. The oldest give way.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="capacity"/> is less than 1.</exception>
    public LogRecorder(int capacity = 10_000) => _buffer = new RecordBuffer<RecordedLog>(capacity);

    /// <summary>Everything recorded and still kept, oldest first; a copy.</summary>
    public IReadOnlyList<RecordedLog> Entries => _buffer.ToList();

    /// <summary>Number of entries that fell out because the capacity was reached.</summary>
    public long Dropped => _buffer.Dropped;

    /// <inheritdoc/>
    public ILogger CreateLogger(string categoryName) => new Logger(this, categoryName);

    /// <inheritdoc/>
    void ISupportExternalScope.SetScopeProvider(IExternalScopeProvider scopeProvider) => _scopes = scopeProvider;

    /// <summary>Waits for an entry that meets a condition, one recorded earlier included.</summary>
    /// <param name="predicate">The condition; must not throw.</param>
    /// <param name="timeout">How long to wait, in real time.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The first entry that meets it.</returns>
    /// <exception cref="TimeoutException">None came in time.</exception>
    /// <exception cref="OperationCanceledException">The wait was cancelled.</exception>
    public Task<RecordedLog> WaitForAsync(Func<RecordedLog, bool> predicate, TimeSpan timeout, CancellationToken cancellationToken = default) =>
        _buffer.WaitForAsync(predicate, timeout, cancellationToken);

    /// <summary>Waits until all that is recorded meets a condition.</summary>
    /// <param name="predicate">The condition; must not throw.</param>
    /// <param name="timeout">How long to wait, in real time.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>A task that ends when the condition is met.</returns>
    /// <exception cref="TimeoutException">It was not met in time.</exception>
    /// <exception cref="OperationCanceledException">The wait was cancelled.</exception>
    public Task WaitUntilAsync(Func<IReadOnlyList<RecordedLog>, bool> predicate, TimeSpan timeout, CancellationToken cancellationToken = default) =>
        _buffer.WaitUntilAsync(predicate, timeout, cancellationToken);

    /// <summary>Forgets what was recorded.</summary>
    public void Clear() => _buffer.Clear();

    /// <summary>Stops recording; what was recorded stays readable, as a host disposes its providers before a test reads them.</summary>
    public void Dispose() => _stopped = true;

    private void Add<TState>(string category, LogLevel level, EventId id, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (_stopped)
        {
            return;
        }

        List<object?> scopes = [];
        _scopes.ForEachScope(static (scope, list) => list.Add(Copy(scope)), scopes);
        _buffer.Add(new RecordedLog(category, level, id, formatter(state, exception), exception, Pairs(state) ?? [], scopes));
    }

    private static object? Copy(object? scope) => Pairs(scope) ?? scope;

    private static List<KeyValuePair<string, object?>>? Pairs(object? state) =>
        state is IEnumerable<KeyValuePair<string, object?>> pairs ? [.. pairs] : null;

    private sealed class Logger(LogRecorder owner, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => owner._scopes.Push(state);

        public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None && !owner._stopped;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            ArgumentNullException.ThrowIfNull(formatter);
            if (logLevel != LogLevel.None)
            {
                owner.Add(category, logLevel, eventId, state, exception, formatter);
            }
        }
    }
}
