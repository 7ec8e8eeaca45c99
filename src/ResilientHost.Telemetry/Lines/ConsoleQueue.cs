using System.Text;
using System.Threading.Channels;
using ResilientHost.Telemetry.Exporting;
using Serilog.Core;
using Serilog.Debugging;
using Serilog.Events;
using Serilog.Formatting;
using Serilog.Parsing;
using static ResilientHost.ResilienceDiagnostics;

namespace ResilientHost.Telemetry.Lines;

/// <summary>Events on their way to the console, which one thread writes: whoever logs does not wait for a console that nobody reads. Thread-safe.</summary>
/// <remarks>A fatal event is different: the process may end with it, so room for it is waited for, and its line, a second at most each.</remarks>
internal sealed class ConsoleQueue : ILogEventSink, IDisposable
{
    // Enough for many lines in one write, and few enough to be seen at once.
    private const int WriteLength = 32 * 1024;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private static readonly MessageTemplate DroppedTemplate =
        new MessageTemplateParser().Parse("{Lines} log events were dropped: the console did not take them as fast as they came.");

    private readonly ITextFormatter _formatter;
    private readonly Action<string> _write;
    private readonly TelemetryMetrics _metrics;
    private readonly TimeProvider _time;
    private readonly Channel<Entry> _entries;
    private readonly Thread _writer;
    private long _dropped;

    /// <param name="formatter">Makes a line of an event.</param>
    /// <param name="write">Writes lines; may block.</param>
    /// <param name="capacity">At most so many wait.</param>
    /// <param name="metrics">Counts those for which there was no room.</param>
    /// <param name="time">For the queue's own lines.</param>
    public ConsoleQueue(ITextFormatter formatter, Action<string> write, int capacity, TelemetryMetrics metrics, TimeProvider time)
    {
        _formatter = formatter;
        _write = write;
        _metrics = metrics;
        _time = time;
        _entries = Channel.CreateBounded<Entry>(new BoundedChannelOptions(capacity) { SingleReader = true });
        _writer = new Thread(WriteAll) { IsBackground = true, Name = "Log lines" };
        _writer.UnsafeStart();
        AppDomain.CurrentDomain.ProcessExit += OnProcessExit;
    }

    public void Emit(LogEvent logEvent)
    {
        if (logEvent.Level == LogEventLevel.Fatal)
        {
            EmitAndWait(logEvent);
        }
        else if (!_entries.Writer.TryWrite(new(logEvent, null)))
        {
            Drop();
        }
    }

    public void Dispose()
    {
        AppDomain.CurrentDomain.ProcessExit -= OnProcessExit;
        Finish();
    }

    private void EmitAndWait(LogEvent logEvent)
    {
        var written = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var patience = new CancellationTokenSource(Patience);
        try
        {
            // Also where there is no room: it may be the one line that says why the process ended.
            _entries.Writer.WriteAsync(new(logEvent, written), patience.Token).AsTask().GetAwaiter().GetResult();
        }
        catch (Exception exception) when (exception is OperationCanceledException or ChannelClosedException)
        {
            Drop();
            return;
        }

        written.Task.Wait(Patience);
    }

    private void Drop()
    {
        Interlocked.Increment(ref _dropped);
        _metrics.Dropped(TelemetryTagValues.Console, TelemetryTagValues.QueueFull, 1);
    }

    private void OnProcessExit(object? sender, EventArgs e) => Finish();

    private void Finish()
    {
        _entries.Writer.TryComplete();
        _writer.Join(Patience);
    }

    private void WriteAll()
    {
        using var text = new StringWriter();
        var lines = text.GetStringBuilder();
        var reader = _entries.Reader;
        while (reader.WaitToReadAsync().AsTask().GetAwaiter().GetResult())
        {
            TaskCompletionSource? waiting = null;
            while (waiting is null && lines.Length < WriteLength && reader.TryRead(out var entry))
            {
                Format(entry.Event, text);
                waiting = entry.Written;
            }

            TellOfDropped(text);
            Write(lines);
            waiting?.TrySetResult();
        }
    }

    private void TellOfDropped(StringWriter text)
    {
        if (Interlocked.Exchange(ref _dropped, 0) is > 0 and var dropped)
        {
            Format(new(_time.GetUtcNow(), LogEventLevel.Warning, exception: null, DroppedTemplate, [new("Lines", new ScalarValue(dropped))]), text);
        }
    }

    private void Format(LogEvent logEvent, StringWriter text)
    {
        var lines = text.GetStringBuilder();
        var begin = lines.Length;
        try
        {
            _formatter.Format(logEvent, text);
        }
        catch (Exception exception)
        {
            // A value whose ToString throws: half a line would spoil the next one.
            lines.Length = begin;
            SelfLog.WriteLine("A log event could not be written: {0}", exception);
        }
    }

    private void Write(StringBuilder lines)
    {
        try
        {
            _write(lines.ToString());
        }
        catch (Exception exception)
        {
            // A console that was closed. There is nowhere to tell it.
            SelfLog.WriteLine("The console could not be written to: {0}", exception);
        }

        lines.Clear();
    }

    private readonly record struct Entry(LogEvent Event, TaskCompletionSource? Written);
}
