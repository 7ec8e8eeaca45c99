using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace ResilientHost.Benchmarks.Exceptions;

/// <summary>The framework's console logging without a console: its own formatter renders each entry on the thread that logs, as it does there, and the text is thrown away. Thread-safe.</summary>
internal sealed class FormattedLog : ILoggerProvider
{
    private static readonly ConsoleFormatter Simple = new ServiceCollection()
        .AddLogging(static logging => logging.AddSimpleConsole())
        .BuildServiceProvider()
        .GetServices<ConsoleFormatter>()
        .First(static formatter => formatter.Name == ConsoleFormatterNames.Simple);

    // Kept from entry to entry, as the console's is.
    [ThreadStatic]
    private static StringWriter? _text;

    private int _entries;

    /// <summary>What has been logged so far.</summary>
    public int Entries => Volatile.Read(ref _entries);

    public ILogger CreateLogger(string categoryName) => new Formatting(this, categoryName);

    public void Dispose()
    {
        // Whoever has been given it may go on logging.
    }

    private sealed class Formatting(FormattedLog log, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            _text ??= new StringWriter();
            _text.GetStringBuilder().Clear();
            Simple.Write(new LogEntry<TState>(logLevel, category, eventId, state, exception, formatter), scopeProvider: null, _text);
            Interlocked.Increment(ref log._entries);
        }
    }
}
