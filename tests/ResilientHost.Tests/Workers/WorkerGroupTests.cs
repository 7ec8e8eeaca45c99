using ResilientHost.Hosting;
using ResilientHost.Workers;

namespace ResilientHost.Tests.Workers;

public sealed partial class WorkerGroupTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);
    private readonly ManualTimeProvider _time = new();
    private readonly RecordedWorkerEvents _events = new();
    private readonly WorkerOptions _options = new() { RestartDelay = Second, RestartJitter = 0, StopTimeout = 10 * Second };

    [Fact]
    public async Task Run_Throws_IsStartedAgainAfterTheDelayAndShown()
    {
        var (group, a) = Lone();
        await group.StartAsync(a.Worker);
        var first = await a.NextRunAsync();

        first.Throw(new InvalidDataException());
        (await _events.UntilAsync("a Running>BackingOff Failure")).ShouldBe(["a Created>Running Host", "a Running>BackingOff Failure"]);
        await UntilTimerAsync();
        _time.Advance(Second);

        (await a.NextRunAsync()).Number.ShouldBe(2);
        a.Worker.Snapshot().ShouldSatisfyAllConditions(
            worker => worker.State.ShouldBe(WorkerState.Running),
            worker => worker.Restarts.ShouldBe(1),
            worker => worker.LastFailure.ShouldBe("System.IO.InvalidDataException"));
        first.Stopping.IsCancellationRequested.ShouldBeTrue("what the run left behind is to end");
        _time.ArmedTimers.ShouldBe(0);
    }

    [Fact]
    public async Task Run_ThrowsBeforeItsFirstAwaitEveryTime_GivesUpWithTheExceptionAndWhatThePolicySays()
    {
        _options.RestartDelay = TimeSpan.Zero;
        _options.OnGiveUp = GiveUpAction.StopHost;
        var (group, a) = Lone(_ => throw new InvalidDataException());

        await group.StartAsync(a.Worker);

        // Delays of no length end with the next step, or with the clock's next move.
        (await _events.UntilAsync("a of none gave up: StopHost, InvalidDataException")).Count.ShouldBe(1 + (2 * 5) + 2);
        a.RunsBegun.ShouldBe(6);
    }

    [Fact]
    public async Task Run_BlocksItsThread_HoldsUpNobody()
    {
        using ManualResetEventSlim release = new();
        var blocking = new ScriptedWorker("a", _time, () => _options)
        {
            Does = _ =>
            {
                release.Wait();
                return Task.CompletedTask;
            },
        };
        var b = Scripted("b");
        var group = Group(blocking, b);

        await group.StartAsync(blocking.Worker).WaitAsync(Deadline);
        await group.StartAsync(b.Worker).WaitAsync(Deadline);

        (await b.NextRunAsync()).Number.ShouldBe(1);
        release.Set();
        await _events.UntilAsync("a Running>Completed Returned");
    }

    [Fact]
    public async Task Run_LooksAtItsExecutionContext_FindsNothingOfWhoStartedIt()
    {
        AsyncLocal<string> ambient = new() { Value = "host" };
        TaskCompletionSource<string?> seen = new();
        var (group, a) = Lone(_ =>
        {
            seen.SetResult(ambient.Value);
            return Task.CompletedTask;
        });

        await group.StartAsync(a.Worker);

        (await seen.Task.WaitAsync(Deadline)).ShouldBeNull();
    }

    [Fact]
    public async Task Stop_RunEndsWhenAsked_CompletesAndIsIdempotent()
    {
        var (group, a) = Lone();
        await group.StartAsync(a.Worker);
        (await a.NextRunAsync()).Obey();

        await Task.WhenAll(group.StopAsync(a.Worker, CancellationToken.None), group.StopAsync(a.Worker, CancellationToken.None)).WaitAsync(Deadline);
        await group.StopAsync(a.Worker, CancellationToken.None).WaitAsync(Deadline);

        a.Worker.State.ShouldBe(WorkerState.Stopped);
        _time.ArmedTimers.ShouldBe(0);
    }

    [Fact]
    public async Task Stop_RunHangs_CompletesAtItsLimitAndNamesIt()
    {
        var (group, a) = Lone();
        await group.StartAsync(a.Worker);
        var run = await a.NextRunAsync();
        a.Worker.Pulse.Beat(1, "counting");

        var stopped = group.StopAsync(a.Worker, CancellationToken.None);
        await run.UntilAskedToStopAsync();
        stopped.IsCompleted.ShouldBeFalse();
        _time.Advance(10 * Second);
        await stopped.WaitAsync(Deadline);

        (await _events.UntilAsync("a Stopping>Stopped Host")).ShouldContain("a#1 abandoned after 10 s doing counting");
        a.Worker.Snapshot().Abandoned.ShouldBe(1);

        run.Throw(new InvalidDataException());
        (await _events.UntilAsync("a#1 late InvalidDataException")).ShouldBe(["a#1 ended after all", "a#1 late InvalidDataException"]);
        a.Worker.Snapshot().Abandoned.ShouldBe(0);
        a.Worker.State.ShouldBe(WorkerState.Stopped);
    }

    [Fact]
    public async Task Stop_TheCallersTokenIsCancelledFirst_WaitsNoLonger()
    {
        var (group, a) = Lone();
        await group.StartAsync(a.Worker);
        await a.NextRunAsync();
        using CancellationTokenSource impatient = new();

        var stopped = group.StopAsync(a.Worker, impatient.Token);
        stopped.IsCompleted.ShouldBeFalse();
        await impatient.CancelAsync();

        await stopped.WaitAsync(Deadline);
        (await _events.UntilAsync("a Stopping>Stopped Host")).ShouldContain("a#1 abandoned after 0 s doing nothing");
    }

    [Fact]
    public async Task Stop_TokenIsCancelledAlready_StillAsksTheRunToEnd()
    {
        var (group, a) = Lone();
        await group.StartAsync(a.Worker);
        var run = await a.NextRunAsync();

        await group.StopAsync(a.Worker, new CancellationToken(canceled: true)).WaitAsync(Deadline);

        await run.UntilAskedToStopAsync();
    }

    [Fact]
    public async Task Stop_DuringTheDelay_EndsItAndNothingBegins()
    {
        var (group, a) = Lone();
        await group.StartAsync(a.Worker);
        (await a.NextRunAsync()).Throw(new InvalidDataException());
        await _events.UntilAsync("a Running>BackingOff Failure");

        await group.StopAsync(a.Worker, CancellationToken.None).WaitAsync(Deadline);
        _time.Advance(1000 * Second);

        a.RunsBegun.ShouldBe(1);
        _time.ArmedTimers.ShouldBe(0);
    }

    [Fact]
    public async Task Stop_ACallbackOfTheTokenThrowsOrBlocks_HoldsUpNobody()
    {
        using ManualResetEventSlim release = new();
        var (group, a) = Lone();
        await group.StartAsync(a.Worker);
        var run = await a.NextRunAsync();
        run.Stopping.UnsafeRegister(_ => throw new InvalidDataException(), null);
        run.Stopping.UnsafeRegister(_ => release.Wait(), null);
        run.Return();

        await group.StopAsync(a.Worker, CancellationToken.None).WaitAsync(Deadline);
        release.Set();

        await _events.UntilAsync("a#1 late AggregateException");
    }

    [Fact]
    public async Task Stuck_RunHangs_IsReplacedAndCountedWhileItLives()
    {
        var (group, a) = Lone();
        await group.StartAsync(a.Worker);
        var hung = await a.NextRunAsync();
        group.ReportStuck(a.Worker, 1, 90 * Second, "reading");
        await hung.UntilAskedToStopAsync();

        _time.Advance(10 * Second);
        _time.Advance(Second);
        var second = await a.NextRunAsync();

        second.Number.ShouldBe(2);
        a.Worker.Snapshot().Abandoned.ShouldBe(1);
        hung.Return();
        await _events.UntilAsync("a#1 ended after all");
        a.Worker.Snapshot().Abandoned.ShouldBe(0);
        a.Worker.State.ShouldBe(WorkerState.Running);
    }

    [Fact]
    public async Task Stuck_AbandonedRunStillSpeaks_IsNotHeard()
    {
        var (group, a) = Lone();
        await group.StartAsync(a.Worker);
        await a.NextRunAsync();
        group.ReportStuck(a.Worker, 1, 90 * Second, activity: null);
        _time.Advance(10 * Second);
        _time.Advance(Second);
        await a.NextRunAsync();

        a.Worker.Enter(WorkerState.Paused, WorkerTransitionCause.Circuit, run: 1, expected: [WorkerState.Running]).ShouldBeNull();
        a.Worker.State.ShouldBe(WorkerState.Running);
    }

    [Fact]
    public async Task PauseAndResume_EndTheRunAndBeginAnotherWithoutCounting()
    {
        var (group, a) = Lone();
        await group.StartAsync(a.Worker);
        (await a.NextRunAsync()).Obey();

        await group.PauseAsync(a.Worker, "reduced").WaitAsync(Deadline);
        a.Worker.State.ShouldBe(WorkerState.Paused);
        await group.ResumeAsync(a.Worker).WaitAsync(Deadline);

        (await a.NextRunAsync()).Number.ShouldBe(2);
        a.Worker.Snapshot().Restarts.ShouldBe(0);
    }

    [Fact]
    public async Task Restart_ByHandAfterGivingUp_BeginsAgain()
    {
        _options.MaxRestarts = 0;
        var (group, a) = Lone();
        await group.StartAsync(a.Worker);
        (await a.NextRunAsync()).Throw(new InvalidDataException());
        await _events.UntilAsync("a of none gave up: as it is, InvalidDataException");

        group.Restart(a.Worker);

        (await a.NextRunAsync()).Number.ShouldBe(2);
        a.Worker.State.ShouldBe(WorkerState.Running);
    }

    [Fact]
    public async Task Listener_Throws_SupervisionGoesOn()
    {
        _events.Throws = true;
        var (group, a) = Lone();
        await group.StartAsync(a.Worker);
        (await a.NextRunAsync()).Throw(new InvalidDataException());
        await _events.UntilAsync("a Running>BackingOff Failure");
        await UntilTimerAsync();
        _time.Advance(Second);

        (await a.NextRunAsync()).Obey();
        await group.StopAsync(a.Worker, CancellationToken.None).WaitAsync(Deadline);
    }

    [Fact]
    public async Task Policy_CannotBeRead_TheLastOneHolds()
    {
        var broken = false;
        var a = new ScriptedWorker("a", _time, () => broken ? throw new FormatException() : _options);
        WorkerGroup group = new(name: null, [a.Worker], () => null, () => true, new MonotonicClock(_time), _events, new Random(1));
        await group.StartAsync(a.Worker);
        var run = await a.NextRunAsync();
        broken = true;
        run.Throw(new InvalidDataException());
        await _events.UntilAsync("a Running>BackingOff Failure");
        await UntilTimerAsync();
        _time.Advance(Second);

        (await a.NextRunAsync()).Number.ShouldBe(2);
    }

    [Fact]
    public void Member_OfAnotherGroup_IsRefused()
    {
        var (group, _) = Lone();

        Should.Throw<ArgumentException>(() => group.Restart(Scripted("b").Worker)).Message.ShouldStartWith("Worker 'b' is no member of the group.");
    }

    private ScriptedWorker Scripted(string name) => new(name, _time, () => _options);

    private (WorkerGroup Group, ScriptedWorker Worker) Lone(Func<WorkerRun, Task>? does = null, bool obeys = false)
    {
        ScriptedWorker worker = new("a", _time, () => _options) { Does = does, Obeys = obeys };
        return (new(name: null, [worker.Worker], () => null, () => true, new MonotonicClock(_time), _events, new Random(1)), worker);
    }

    private WorkerGroup Group(params ScriptedWorker[] members) => Group(new WorkerGroupOptions(), members);

    private WorkerGroup Group(WorkerGroupOptions options, params ScriptedWorker[] members) =>
        new("g", [.. members.Select(member => member.Worker)], () => new(options), () => true, new MonotonicClock(_time), _events, new Random(1));

    // The state is told before the timer is armed.
    private async Task UntilTimerAsync()
    {
        for (var look = 0; _time.ArmedTimers == 0; look++)
        {
            look.ShouldBeLessThan(10_000_000);
            await Task.Yield();
        }
    }
}
