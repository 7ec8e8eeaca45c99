using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ResilientHost.Hosting;
using ResilientHost.Telemetry;
using ResilientHost.Testing;
using ResilientHost.Workers;

namespace ResilientHost.Tests.Workers;

public sealed class WorkerTelemetryTests : IDisposable
{
    private readonly ManualTimeProvider _time = new();
    private readonly LogRecorder _logs = new();
    private readonly LoggerFactory _loggers = new();
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly List<GiveUpAction> _done = [];
    private readonly Worker _worker;
    private readonly WorkerTelemetry _telemetry;

    public WorkerTelemetryTests()
    {
        _loggers.AddProvider(_logs);
        var clock = new MonotonicClock(_time);
        var settings = new WorkerSettings(true, true, false, new WorkerPolicy(new()), new Dictionary<string, WorkerPolicy>(), new Dictionary<string, WorkerGroupPolicy>());
        _worker = new("orders", new ScriptedBody(), () => settings, clock);
        _telemetry = new(
            new WorkerLog(_loggers.CreateLogger<WorkerLog>(), clock),
            new WorkerSupervisionMetrics(new ResilienceMeter(_services.GetRequiredService<IMeterFactory>()), () => [_worker]),
            (_, _, asked) => asked ?? GiveUpAction.Fail,
            _done.Add);
    }

    public void Dispose()
    {
        _loggers.Dispose();
        _logs.Dispose();
        _services.Dispose();
    }

    private WorkerTransition Change(WorkerState from, WorkerState to, WorkerTransitionCause cause, Exception? exception = null, string? detail = null) =>
        new("orders", from, to, cause, Run: 2, _time.GetUtcNow(), exception, detail);

    private void Fails(Exception exception) =>
        _telemetry.Transitioned(Change(WorkerState.Running, WorkerState.BackingOff, WorkerTransitionCause.Failure, exception, "starts again in 1 s"));

    [Fact]
    public void Failure_OfTheSameType_IsToldInFullOncePerInterval()
    {
        Fails(new TimeoutException("first"));
        Fails(new TimeoutException("second"));
        Fails(new InvalidOperationException("another"));
        _time.Advance(LogStorm.Interval);
        Fails(new InvalidOperationException("later"));

        _logs.Entries.Select(entry => (entry.EventId.Name, entry.Exception?.Message)).ShouldBe([
            ("WorkerFailed", "first"), ("WorkerFailedAgain", null), ("WorkerFailed", "another"), ("WorkerFailed", "later")]);
        _logs.Entries[1].Message.ShouldBe("Worker 'orders' failed in run 2 as before (System.TimeoutException). Starts again in 1 s.");
    }

    [Theory]
    [InlineData(WorkerState.BackingOff, WorkerState.Running, WorkerTransitionCause.Restart, "WorkerRunning", LogLevel.Information)]
    [InlineData(WorkerState.Running, WorkerState.Paused, WorkerTransitionCause.Circuit, "WorkerPaused", LogLevel.Information)]
    [InlineData(WorkerState.Running, WorkerState.Stuck, WorkerTransitionCause.Silence, "WorkerStuck", LogLevel.Error)]
    [InlineData(WorkerState.Stuck, WorkerState.Running, WorkerTransitionCause.Heartbeat, "WorkerHeardAgain", LogLevel.Warning)]
    [InlineData(WorkerState.Running, WorkerState.Completed, WorkerTransitionCause.Returned, "WorkerEnded", LogLevel.Information)]
    [InlineData(WorkerState.Stopping, WorkerState.Stopped, WorkerTransitionCause.Host, "WorkerEnded", LogLevel.Information)]
    [InlineData(WorkerState.Running, WorkerState.Failed, WorkerTransitionCause.Failure, "WorkerFailedForGood", LogLevel.Error)]
    public void Change_IsLoggedByWhoMustAct(WorkerState from, WorkerState to, WorkerTransitionCause cause, string name, LogLevel level)
    {
        _telemetry.Transitioned(Change(from, to, cause));

        var entry = _logs.Entries.ShouldHaveSingleItem();
        entry.EventId.Name.ShouldBe(name);
        entry.Level.ShouldBe(level);
    }

    [Theory]
    [InlineData(null, GiveUpAction.Fail, LogLevel.Error, "Worker 'orders' was given up: too often. Everything else goes on; readiness is degraded until it runs again.")]
    [InlineData(GiveUpAction.StopHost, GiveUpAction.StopHost, LogLevel.Critical, "Worker 'orders' was given up: too often. The host stops, so that it can be started afresh.")]
    public void GaveUp_IsToldOnceAndCarriedOut(GiveUpAction? asked, GiveUpAction done, LogLevel level, string message)
    {
        _telemetry.GaveUp(_worker, group: null, asked, new TimeoutException("last"), "too often");
        _telemetry.Transitioned(Change(WorkerState.Running, WorkerState.Failed, WorkerTransitionCause.GaveUp));

        var entry = _logs.Entries.ShouldHaveSingleItem();
        entry.Level.ShouldBe(level);
        entry.Message.ShouldBe(message);
        _done.ShouldBe([done]);
    }

    [Fact]
    public async Task Listener_Throws_OthersHearAndItIsLogged()
    {
        var heard = new TaskCompletionSource<WorkerTransition>(TaskCreationOptions.RunContinuationsAsynchronously);
        _telemetry.Transition += _ => throw new InvalidOperationException("listener");
        _telemetry.Transition += change => heard.TrySetResult(change);

        _telemetry.Transitioned(Change(WorkerState.Running, WorkerState.Paused, WorkerTransitionCause.Circuit));

        (await heard.Task).To.ShouldBe(WorkerState.Paused);
        (await _logs.WaitForAsync(entry => entry.EventId.Name == "WorkerListenerFailed", TimeSpan.FromSeconds(20))).Exception!.Message.ShouldBe("listener");
    }

    [Fact]
    public void Metrics_CountRunsThatWereStartedAgainAndShowTheState()
    {
        using var metrics = new MetricRecorder(ResilienceDiagnostics.MeterName, _services.GetRequiredService<IMeterFactory>());
        Fails(new TimeoutException());
        _telemetry.Transitioned(Change(WorkerState.BackingOff, WorkerState.Running, WorkerTransitionCause.Restart));
        _telemetry.Transitioned(Change(WorkerState.Paused, WorkerState.Running, WorkerTransitionCause.Circuit));
        _worker.Enter(WorkerState.BackingOff, WorkerTransitionCause.Failure, 1);
        metrics.RecordObservableInstruments();

        metrics.Of(ResilienceDiagnostics.Instruments.WorkerRestarts).ShouldHaveSingleItem().Tags[ResilienceDiagnostics.Tags.WorkerCause].ShouldBe("failure");
        var states = metrics.Of(ResilienceDiagnostics.Instruments.WorkerState);
        states.Count.ShouldBe(Enum.GetValues<WorkerState>().Length);
        states.Where(state => state.Value == 1).ShouldHaveSingleItem().Tags[ResilienceDiagnostics.Tags.WorkerState].ShouldBe("backing_off");
    }

    [Fact]
    public void Names_OfAllMembers_AreSnakeCaseOfTheirOwn()
    {
        Enum.GetValues<WorkerState>().Select(WorkerNames.Of).ShouldBe(["created", "running", "paused", "stuck", "backing_off", "stopping", "stopped", "completed", "failed"]);
        Enum.GetValues<WorkerTransitionCause>().Select(WorkerNames.Of).ShouldBe(
            ["host", "failure", "returned", "restart", "group", "gave_up", "silence", "heartbeat", "service_level", "circuit", "manual"]);
    }

    private sealed class ScriptedBody : IWorkerBody
    {
        public bool CanReplace => true;

        public bool HasContext => true;

        public bool PausesItself => true;

        public Task RunAsync(WorkerRun run) => Task.CompletedTask;
    }
}
