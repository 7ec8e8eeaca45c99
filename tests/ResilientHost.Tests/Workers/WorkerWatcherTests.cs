using ResilientHost.Workers;

namespace ResilientHost.Tests.Workers;

public sealed class WorkerWatcherTests : IDisposable
{
    private readonly IterationsUnderTest _under = new(options => options.HeartbeatTimeout = TimeSpan.FromSeconds(10));
    private readonly ScriptedControl _control = new();
    private readonly WorkerWatcher _watcher;

    public WorkerWatcherTests() => _watcher = new WorkerWatcher(() => [(_under.Worker, _control)], _under.Shared);

    public void Dispose()
    {
        _watcher.Dispose();
        _under.Dispose();
    }

    [Fact]
    public void Look_AtAWorkerThatIsSilentForLongerThanItMay_FindsItStuckOnce()
    {
        _under.Context.BeginWork("poll");
        Pass(10);
        _under.Worker.State.ShouldBe(WorkerState.Running);
        Pass(0.5);
        Pass(5);

        var change = _under.Events.Transitions.ShouldHaveSingleItem();
        change.To.ShouldBe(WorkerState.Stuck);
        change.Cause.ShouldBe(WorkerTransitionCause.Silence);
        change.Run.ShouldBe(1);
        change.Detail.ShouldBe("silent for 10.5 s, last heard of in 'poll'");
        _control.Reports.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("a beat")]
    [InlineData("the end of its work")]
    public void Look_AtAStuckWorkerThatIsHeardAgain_FindsItRunning(string how)
    {
        var work = _under.Context.BeginWork("poll");
        Pass(11);
        if (how == "a beat")
        {
            _under.Context.Heartbeat();
        }
        else
        {
            _under.Context.EndWork(work);
        }

        Pass(0);

        _under.Events.Moves.ShouldBe(["Running>Stuck Silence", "Stuck>Running Heartbeat"]);
    }

    [Fact]
    public void Look_AtAWorkerThatIsSilentWithoutWork_FindsItStuckUnlessItSaidThatItWaits()
    {
        var idle = _under.Context.Idle();
        Pass(100);
        _under.Events.Transitions.ShouldBeEmpty();

        idle.Dispose();
        idle.Dispose();
        Pass(10);
        _under.Events.Transitions.ShouldBeEmpty();
        Pass(1);
        _under.Events.Transitions.ShouldHaveSingleItem().Detail.ShouldBe("silent for 11 s since it began");
    }

    [Fact]
    public void Look_WithoutATimeout_JudgesNobodyAndFreesWhoIsStuck()
    {
        Pass(11);
        _under.Worker.State.ShouldBe(WorkerState.Stuck);

        _under.Options.HeartbeatTimeout = null;
        _under.Reload();
        Pass(100);

        _under.Worker.State.ShouldBe(WorkerState.Running);
        _under.Events.Transitions[^1].Cause.ShouldBe(WorkerTransitionCause.Manual);
    }

    [Fact]
    public void Look_WithTheKillSwitchOff_JudgesNobody()
    {
        _under.Reload(enabled: false);
        Pass(100);
        _under.Events.Transitions.ShouldBeEmpty();
    }

    [Fact]
    public void Look_WithReplaceStuck_ReportsARunOnce()
    {
        _under.Options.ReplaceStuck = true;
        _under.Reload();
        _under.Context.BeginWork("poll");
        Pass(11);
        Pass(5);
        _control.Reports.ShouldBe([(1, TimeSpan.FromSeconds(11), "poll")]);

        // The supervision replaces it; the new one gets stuck, too.
        _under.Worker.Enter(WorkerState.Running, WorkerTransitionCause.Restart, 2);
        _under.NextRun(2).BeginWork("poll again");
        Pass(11);
        _control.Reports.Count.ShouldBe(2);
        _control.Reports[1].ShouldBe((2, TimeSpan.FromSeconds(11), "poll again"));
    }

    [Fact]
    public void Look_BetweenTwoRuns_DoesNotTakeTheOldRunsSilenceForTheNewOnes()
    {
        _under.Stop();
        Pass(100);

        _under.Events.Transitions.ShouldBeEmpty();
    }

    [Theory]
    [InlineData(WorkerState.BackingOff)]
    [InlineData(WorkerState.Stopping)]
    [InlineData(WorkerState.Failed)]
    public void Look_AtAWorkerThatDoesNotRun_LeavesItAlone(WorkerState state)
    {
        _under.Worker.Enter(state, WorkerTransitionCause.Host, 1);
        Pass(100);
        _under.Worker.State.ShouldBe(state);
        _control.Reports.ShouldBeEmpty();
    }

    [Fact]
    public void Interval_IsAQuarterOfTheShortestTimeout_AndASecondAtMost()
    {
        _watcher.Look();
        _watcher.Interval.ShouldBe(TimeSpan.FromSeconds(1));
        _under.Options.HeartbeatTimeout = TimeSpan.FromMilliseconds(100);
        _under.Reload();
        _watcher.Look();
        _watcher.Interval.ShouldBe(TimeSpan.FromMilliseconds(25));
        _under.Options.HeartbeatTimeout = null;
        _under.Reload();
        _watcher.Look();
        _watcher.Interval.ShouldBe(TimeSpan.FromSeconds(1));
    }

    [Fact]
    public void Look_ThatFailsAtOneWorker_GoesOnWithTheOthers()
    {
        using var broken = new IterationsUnderTest(options =>
        {
            options.HeartbeatTimeout = TimeSpan.FromSeconds(10);
            options.ReplaceStuck = true;
        });
        _under.Options.ReplaceStuck = true;
        _under.Reload();
        using var watcher = new WorkerWatcher(() => [(broken.Worker, new ThrowingControl()), (_under.Worker, _control)], _under.Shared);
        broken.Time.Advance(TimeSpan.FromSeconds(11));
        _under.Time.Advance(TimeSpan.FromSeconds(11));

        watcher.Look();

        _control.Reports.Count.ShouldBe(1);
        _under.Logs.Entries.ShouldHaveSingleItem().EventId.Id.ShouldBe(1832);
    }

    [Fact]
    public void Look_WhenThereIsNoListOfWorkers_Survives()
    {
        using var watcher = new WorkerWatcher(() => throw new InvalidOperationException("not yet"), _under.Shared);
        watcher.Look();
        _under.Logs.Entries.ShouldHaveSingleItem().EventId.Id.ShouldBe(1832);
    }

    [Fact]
    public async Task Start_WatchesOnAThreadOfItsOwn()
    {
        var seen = new TaskCompletionSource<Thread>(TaskCreationOptions.RunContinuationsAsynchronously);
        using var watcher = new WorkerWatcher(
            () =>
            {
                seen.TrySetResult(Thread.CurrentThread);
                return [];
            },
            _under.Shared);
        watcher.Start();

        var thread = await seen.Task.WaitAsync(IterationsUnderTest.Patience);
        thread.IsThreadPoolThread.ShouldBeFalse();
        thread.IsBackground.ShouldBeTrue();
        watcher.Stop();
        thread.Join(IterationsUnderTest.Patience).ShouldBeTrue();
    }

    private void Pass(double seconds)
    {
        _under.Time.Advance(TimeSpan.FromSeconds(seconds));
        _watcher.Look();
    }

    private sealed class ThrowingControl : IWorkerControl
    {
        public void ReportStuck(Worker worker, int run, TimeSpan silence, string? activity) => throw new InvalidOperationException("broken");

        public Task PauseAsync(Worker worker, string? detail = null) => throw new InvalidOperationException("broken");

        public Task ResumeAsync(Worker worker) => throw new InvalidOperationException("broken");
    }
}
