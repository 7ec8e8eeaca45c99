using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using ResilientHost.Telemetry.Exporting;
using ResilientHost.Telemetry.Lines;
using Serilog.Events;
using Serilog.Parsing;
using static ResilientHost.ResilienceDiagnostics;

namespace ResilientHost.Tests.TelemetryPackage;

public sealed class ConsoleQueueTests : IDisposable
{
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly ManualResetEventSlim _console = new(initialState: true);
    private readonly SemaphoreSlim _writes = new(0);
    private readonly List<string> _written = [];

    [Fact]
    public void Emit_ConsoleBlocks_NeverWaitsAndCountsWhatIsDropped()
    {
        using var metrics = new MetricRecorder(MeterName, _services.GetRequiredService<IMeterFactory>());
        _console.Reset();
        using var queue = Create(capacity: 10);
        queue.Emit(Event(LogEventLevel.Information, "first"));
        _writes.Wait(TestContext.Current.CancellationToken);

        // The writer is stuck with the first one: ten wait, the rest has no room.
        for (var i = 0; i < 25; i++)
        {
            queue.Emit(Event(LogEventLevel.Information, $"line {i}"));
        }

        metrics.Sum(Instruments.TelemetryDropped, (Tags.TelemetrySignal, TelemetryTagValues.Console), (Tags.TelemetryDropReason, TelemetryTagValues.QueueFull)).ShouldBe(15);
        _console.Set();
        queue.Dispose();
        var text = string.Concat(_written);
        text.ShouldContain("line 9");
        text.ShouldNotContain("line 10");
        text.ShouldContain("15 log events were dropped");
    }

    [Fact]
    public void Emit_FatalEvent_IsWrittenBeforeItReturns()
    {
        using var queue = Create(capacity: 10);

        queue.Emit(Event(LogEventLevel.Fatal, "the end"));

        string.Concat(_written).ShouldContain("the end");
    }

    [Fact]
    public async Task Emit_FatalEventWhileTheQueueIsFull_WaitsForRoom()
    {
        _console.Reset();
        using var queue = Create(capacity: 1);
        queue.Emit(Event(LogEventLevel.Information, "first"));
        await _writes.WaitAsync(TestContext.Current.CancellationToken);
        queue.Emit(Event(LogEventLevel.Information, "fills the queue"));

        var told = Task.Factory.StartNew(() => queue.Emit(Event(LogEventLevel.Fatal, "the end")), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        _console.Set();
        await told;

        string.Concat(_written).ShouldContain("the end");
    }

    [Fact]
    public void Emit_FatalEventAndTheConsoleStandsStill_IsCountedAsDropped()
    {
        using var metrics = new MetricRecorder(MeterName, _services.GetRequiredService<IMeterFactory>());
        _console.Reset();
        using var queue = Create(capacity: 1);
        queue.Emit(Event(LogEventLevel.Information, "first"));
        _writes.Wait(TestContext.Current.CancellationToken);
        queue.Emit(Event(LogEventLevel.Information, "fills the queue"));

        queue.Emit(Event(LogEventLevel.Fatal, "the end"));

        metrics.Sum(Instruments.TelemetryDropped, (Tags.TelemetrySignal, TelemetryTagValues.Console)).ShouldBe(1);
        _console.Set();
    }

    [Fact]
    public void Dispose_EventsWait_WritesThemInOrder()
    {
        var queue = Create(capacity: 1000);
        for (var i = 0; i < 500; i++)
        {
            queue.Emit(Event(LogEventLevel.Information, $"line {i}."));
        }

        queue.Dispose();

        string.Concat(_written).Split('\n', StringSplitOptions.RemoveEmptyEntries).Length.ShouldBe(500);
        queue.Emit(Event(LogEventLevel.Information, "too late"));
    }

    [Fact]
    public void Emit_ConsoleThrows_GoesOn()
    {
        var lines = 0;
        using var queue = new ConsoleQueue(
            new JsonLineFormatter(), _ => throw new IOException($"closed {++lines}"), 10, new TelemetryMetrics(_services.GetRequiredService<IMeterFactory>()), TimeProvider.System);

        queue.Emit(Event(LogEventLevel.Fatal, "one"));
        queue.Emit(Event(LogEventLevel.Fatal, "two"));

        lines.ShouldBe(2);
    }

    public void Dispose()
    {
        _console.Set();
        _services.Dispose();
        _console.Dispose();
        _writes.Dispose();
    }

    private ConsoleQueue Create(int capacity) => new(
        new JsonLineFormatter(),
        text =>
        {
            _written.Add(text);
            _writes.Release();
            _console.Wait();
        },
        capacity,
        new TelemetryMetrics(_services.GetRequiredService<IMeterFactory>()),
        TimeProvider.System);

    private static LogEvent Event(LogEventLevel level, string text) =>
        new(DateTimeOffset.UnixEpoch, level, null, new MessageTemplateParser().Parse(text), []);
}
