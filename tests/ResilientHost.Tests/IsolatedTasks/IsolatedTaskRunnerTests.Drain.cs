using ResilientHost.IsolatedTasks;
using Instruments = ResilientHost.ResilienceDiagnostics.Instruments;
using Tags = ResilientHost.ResilienceDiagnostics.Tags;

namespace ResilientHost.Tests.IsolatedTasks;

public sealed partial class IsolatedTaskRunnerTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    [Fact]
    public async Task Drain_NothingLives_EndsAtOnceInSilence()
    {
        (await _test.Runner.DrainAsync(Limit, default)).ShouldBeEmpty();

        _test.Logs.Entries.ShouldBeEmpty();
        _test.Time.ArmedTimers.ShouldBe(0);
    }

    [Fact]
    public async Task Drain_TasksEndInTime_WaitsForThem()
    {
        var task = Hold("mail");
        var drain = _test.Runner.DrainAsync(Limit, default);
        _test.Time.Advance(TimeSpan.FromSeconds(8));
        drain.IsCompleted.ShouldBeFalse();

        _gate.SetResult();
        (await drain.WaitAsync(TasksUnderTest.Patience)).ShouldBeEmpty();
        (await task).ShouldBe(CallOutcome.Succeeded);
        _test.Entries(8).ShouldHaveSingleItem().Message.ShouldStartWith("Waiting up to 10 s for 1 isolated tasks: mail ×1 (oldest 0 s, from IsolatedTaskRunnerTests.cs:");
        _test.Entries(9).ShouldHaveSingleItem().Message.ShouldBe("All isolated tasks have ended, after 8 s.");
    }

    [Fact]
    public async Task Drain_Begun_RefusesNewTasks()
    {
        _ = Hold("mail");
        var drain = _test.Runner.DrainAsync(Limit, default);

        var refusal = Should.Throw<RefusedException>(() => Hold("mail")).Refusal;
        (refusal.Reason, refusal.Source).ShouldBe((RefusalReason.Shed, "mail"));
        Should.Throw<RefusedException>(() => Hold("mail"));
        _test.Entries(4).ShouldHaveSingleItem().Message.ShouldStartWith("Isolated task 'mail' was refused: the host is stopping. Started at ");
        _test.Metrics.Sum(Instruments.IsolatedTaskRefusals, (Tags.RefusalReason, "shed")).ShouldBe(2);
        _gate.SetResult();
        await drain;
    }

    [Fact]
    public async Task Drain_SwitchedOff_StillRefusesAndWaits()
    {
        _test.Policy = new(new IsolatedTaskOptions { Enabled = false });
        _ = Hold("mail");
        var drain = _test.Runner.DrainAsync(Limit, default);

        Should.Throw<RefusedException>(() => Hold("mail"));
        drain.IsCompleted.ShouldBeFalse();
        _gate.SetResult();
        (await drain).ShouldBeEmpty();
    }

    [Fact]
    public async Task Drain_NineTenthsAreOver_CancelsWhatIsLeft()
    {
        var task = _test.Tasks.Run("mail", UntilCancelledAsync);
        var drain = _test.Runner.DrainAsync(Limit, default);
        _test.Time.Advance(TimeSpan.FromSeconds(9) - TimeSpan.FromTicks(1));
        task.IsCompleted.ShouldBeFalse();
        _test.Time.Advance(TimeSpan.FromTicks(1));

        (await task.WaitAsync(TasksUnderTest.Patience)).ShouldBe(CallOutcome.Ignored);
        (await drain.WaitAsync(TasksUnderTest.Patience)).ShouldBeEmpty();
        _test.Entries(0).ShouldBeEmpty();
        _test.Metrics.Of(Instruments.IsolatedTaskDuration, (Tags.Outcome, "ignored")).Count.ShouldBe(1);
    }

    [Fact]
    public async Task Drain_TasksIgnoreTheEnd_NamesThem()
    {
        await HoldStartedAsync("mail", "Send", "Mailer.cs", 12);
        await HoldStartedAsync("mail", "Send", "Mailer.cs", 12);
        _test.Time.Advance(TimeSpan.FromSeconds(3));
        await HoldStartedAsync("report", "Print", "Printer.cs", 7);
        var drain = _test.Runner.DrainAsync(Limit, default);
        await AdvanceUntilAsync(drain);

        (await drain).Select(track => (track.Name, track.Live)).ShouldBe([("mail", 2), ("report", 1)]);
        var entry = _test.Entries(10).ShouldHaveSingleItem();
        entry.Message.ShouldStartWith("3 isolated tasks did not end within 10");
        entry.Message.ShouldContain("mail ×2 (oldest 13");
        entry.Message.ShouldEndWith(" s, from Printer.cs:7 Print).");
    }

    [Fact]
    public async Task Drain_HostHasNoMoreTime_CancelsAndLeavesAtOnce()
    {
        var (started, seen) = (new TaskCompletionSource(), new TaskCompletionSource());
        _test.Tasks.Run("mail", async token =>
        {
            await using var _ = token.Register(seen.SetResult);
            started.SetResult();
            await _gate.Task;
        }).IsCompleted.ShouldBeFalse();
        await started.Task;
        using var host = new CancellationTokenSource();
        var drain = _test.Runner.DrainAsync(Limit, host.Token);
        await host.CancelAsync();

        (await drain.WaitAsync(TasksUnderTest.Patience)).Count.ShouldBe(1);
        await seen.Task.WaitAsync(TasksUnderTest.Patience);
        _test.Entries(10).Count.ShouldBe(1);
    }

    [Fact]
    public async Task Drain_NoTimeAtAll_NamesWhatLives()
    {
        await HoldStartedAsync("mail", "Send", "Mailer.cs", 12);

        (await _test.Runner.DrainAsync(TimeSpan.Zero, default).WaitAsync(TasksUnderTest.Patience)).ShouldHaveSingleItem().Name.ShouldBe("mail");
    }

    [Fact]
    public async Task Drain_WhatHangsOnTheTokenBlocksAndThrows_HasItsLimit()
    {
        using var unblock = new ManualResetEventSlim();
        var registered = new TaskCompletionSource();
        _test.Tasks.Run("mail", async token =>
        {
            token.Register(() =>
            {
                unblock.Wait(TasksUnderTest.Patience, CancellationToken.None);
                throw new InvalidOperationException("no end");
            });
            registered.SetResult();
            await _gate.Task;
        }).IsCompleted.ShouldBeFalse();
        await registered.Task;
        var drain = _test.Runner.DrainAsync(Limit, default);
        await AdvanceUntilAsync(drain);

        (await drain).Count.ShouldBe(1);
        unblock.Set();
        (await _test.Logs.WaitForAsync(entry => entry.EventId.Id == 2411, TasksUnderTest.Patience)).Exception.ShouldNotBeNull();
    }

    [Fact]
    public async Task Drain_CancelledBeforeATaskHadAThread_DoesNotStartIt()
    {
        var ran = false;
        var track = new IsolatedTaskTrack("mail");
        var task = new IsolatedTask(
            track,
            _ =>
            {
                ran = true;
                return Task.CompletedTask;
            },
            started: 0,
            new TaskOrigin("Send", "Mailer.cs", 12));

        (await task.RunAsync(new LogScopes(), log: null!, static _ => default, new CancellationToken(canceled: true))).ShouldBe(CallOutcome.Ignored);
        ran.ShouldBeFalse();
    }

    [Fact]
    public async Task Dispose_TasksLive_CancelsThemAndRefusesMore()
    {
        var task = _test.Tasks.Run("mail", UntilCancelledAsync);
        _test.Runner.Dispose();

        (await task.WaitAsync(TasksUnderTest.Patience)).ShouldBe(CallOutcome.Ignored);
        Should.Throw<RefusedException>(() => Hold("mail")).Refusal.Reason.ShouldBe(RefusalReason.Shed);
    }

    /// <summary>A task that is cancelled before it had a thread is not begun.</summary>
    private async Task HoldStartedAsync(string name, string member, string file, int line)
    {
        var started = new TaskCompletionSource();
        _ = _test.Tasks.Run(
            name,
            _ =>
            {
                started.SetResult();
                return _gate.Task;
            },
            member,
            file,
            line);
        await started.Task.WaitAsync(TasksUnderTest.Patience);
    }

    private static async Task UntilCancelledAsync(CancellationToken token)
    {
        var cancelled = new TaskCompletionSource();
        await using var registration = token.Register(() => cancelled.TrySetCanceled(token));
        await cancelled.Task;
    }

    // The second wait is armed by a continuation on another thread.
    private async Task AdvanceUntilAsync(Task drain)
    {
        _test.Time.Advance(TimeSpan.FromSeconds(9));
        while (!drain.IsCompleted)
        {
            await Task.Yield();
            _test.Time.Advance(TimeSpan.FromSeconds(0.001));
        }
    }
}
