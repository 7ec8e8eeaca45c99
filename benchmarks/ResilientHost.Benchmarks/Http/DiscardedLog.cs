using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace ResilientHost.Benchmarks.Http;

/// <summary>The framework's console logging without a console: its own formatter renders each entry on the thread that logs, as it does there, and the text is thrown away. Thread-safe.</summary>
internal sealed class DiscardedLog : ILoggerProvider
{
    private static readonly ConsoleFormatter Simple = new ServiceCollection()
        .AddLogging(static logging => logging.AddSimpleConsole())
        .BuildServiceProvider()
        .GetServices<ConsoleFormatter>()
        .First(static formatter => formatter.Name == ConsoleFormatterNames.Simple);

    // Kept from entry to entry, as the console's is.
    [ThreadStatic]
    private static StringWriter? _text;

    public ILogger CreateLogger(string categoryName) => new Discarding(categoryName);

    public void Dispose()
    {
    }

    private sealed class Discarding(string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            _text ??= new StringWriter();
            _text.GetStringBuilder().Clear();
            Simple.Write(new LogEntry<TState>(logLevel, category, eventId, state, exception, formatter), scopeProvider: null, _text);
        }
    }
}
