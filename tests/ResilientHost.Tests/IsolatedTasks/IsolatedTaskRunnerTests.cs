using ResilientHost.IsolatedTasks;
using Instruments = ResilientHost.ResilienceDiagnostics.Instruments;
using Tags = ResilientHost.ResilienceDiagnostics.Tags;

namespace ResilientHost.Tests.IsolatedTasks;

public sealed partial class IsolatedTaskRunnerTests : IDisposable
{
    private readonly TasksUnderTest _test = new(new IsolatedTaskOptions { MaxTasks = 3, MaxTasksPerName = 2, LeakWindow = TimeSpan.FromSeconds(8), LeakThreshold = 2 });
    private readonly TaskCompletionSource _gate = new();

    public void Dispose()
    {
        _gate.TrySetResult();
        _test.Dispose();
    }

    [Fact]
    public async Task Run_WorkEnds_TellsItAndHoldsNothing()
    {
        (await _test.Tasks.Run("mail", static _ => Task.CompletedTask)).ShouldBe(CallOutcome.Succeeded);

        _test.Live.ShouldBe(0);
        _test.Logs.Entries.ShouldBeEmpty();
        _test.Metrics.Of(Instruments.IsolatedTaskDuration, (Tags.IsolatedTaskName, "mail"), (Tags.Outcome, "succeeded")).Count.ShouldBe(1);
    }

    [Fact]
    public async Task Run_WorkThrowsBeforeItsFirstAwait_IsContainedAndLogged()
    {
        (await _test.Tasks.Run("mail", static _ => throw new InvalidOperationException("no server"))).ShouldBe(CallOutcome.Failed);

        var entry = _test.Entries(0).ShouldHaveSingleItem();
        entry.Exception.ShouldBeOfType<InvalidOperationException>().Message.ShouldBe("no server");
        entry.Message.ShouldStartWith("Isolated task 'mail' failed with System.InvalidOperationException after 0 s. Started at IsolatedTaskRunnerTests.cs:");
        entry.Message.ShouldEndWith($" {nameof(Run_WorkThrowsBeforeItsFirstAwait_IsContainedAndLogged)}, trace -.");
        _test.Live.ShouldBe(0);
        _test.Metrics.Of(Instruments.IsolatedTaskDuration, (Tags.IsolatedTaskName, "mail"), (Tags.Outcome, "failed")).Count.ShouldBe(1);
    }

    [Fact]
    public async Task Run_WorkThrowsAfterAnAwait_IsContainedAndLogged()
    {
        var task = _test.Tasks.Run("mail", async _ =>
        {
            await _gate.Task;
            throw new TimeoutException();
        });
        _gate.SetResult();

        (await task).ShouldBe(CallOutcome.Failed);
        _test.Entries(0).ShouldHaveSingleItem().Exception.ShouldBeOfType<TimeoutException>();
    }

    [Fact]
    public async Task Run_WorkReturnsNoTask_Fails()
    {
        (await _test.Tasks.Run("mail", static _ => Array.Empty<Task>().FirstOrDefault()!)).ShouldBe(CallOutcome.Failed);

        _test.Entries(0).ShouldHaveSingleItem().Exception!.Message.ShouldBe("The work of isolated task 'mail' returned null instead of a task.");
    }

    [Fact]
    public async Task Run_WorkCancelsItself_HasFailed()
    {
        (await _test.Tasks.Run("mail", static _ => Task.FromCanceled(new CancellationToken(canceled: true)))).ShouldBe(CallOutcome.Failed);

        _test.Entries(0).Count.ShouldBe(1);
    }

    [Fact]
    public async Task Run_ExceptionThatCannotBeShown_IsContained()
    {
        (await _test.Tasks.Run("mail", static _ => throw new HostileException())).ShouldBe(CallOutcome.Failed);

        _test.Live.ShouldBe(0);
        _test.Entries(0).Count.ShouldBe(1);
    }

    [Fact]
    public void Run_BadArguments_Throws()
    {
        Should.Throw<ArgumentException>(() => _test.Tasks.Run("", static _ => Task.CompletedTask));
        Should.Throw<ArgumentException>(() => _test.Tasks.Run(" ", static _ => Task.CompletedTask));
        Should.Throw<ArgumentNullException>(() => _test.Tasks.Run(null!, static _ => Task.CompletedTask));
        Should.Throw<ArgumentNullException>(() => _test.Tasks.Run("mail", null!));
        Should.Throw<ArgumentNullException>(() => _test.Tasks.Run("mail", static _ => Task.CompletedTask, member: null!));
        Should.Throw<ArgumentNullException>(() => _test.Tasks.Run("mail", static _ => Task.CompletedTask, file: null!));

        _test.Live.ShouldBe(0);
    }

    [Fact]
    public async Task Run_NameIsFull_RefusesThatNameAlone()
    {
        Task<CallOutcome>[] held = [Hold("mail"), Hold("mail")];

        var refusal = Should.Throw<RefusedException>(() => Hold("mail")).Refusal;
        (refusal.Reason, refusal.Source, refusal.RetryAfter).ShouldBe((RefusalReason.BulkheadFull, "mail", null));
        var other = Hold("report");
        _test.Live.ShouldBe(3);

        _gate.SetResult();
        (await Task.WhenAll([.. held, other])).ShouldAllBe(outcome => outcome == CallOutcome.Succeeded);
        _test.Live.ShouldBe(0);
        (await Hold("mail")).ShouldBe(CallOutcome.Succeeded);
    }

    [Fact]
    public void Run_AllIsFull_RefusesEveryName()
    {
        _ = Hold("mail");
        _ = Hold("mail");
        _ = Hold("report");

        Should.Throw<RefusedException>(() => Hold("report")).Refusal.Reason.ShouldBe(RefusalReason.BulkheadFull);
        Should.Throw<RefusedException>(() => Hold("third")).Refusal.Source.ShouldBe("third");
        _test.Live.ShouldBe(3);
    }

    [Fact]
    public void Run_RefusedAgainAndAgain_CountsEachAndLogsTwice()
    {
        _ = Hold("mail");
        _ = Hold("mail");
        for (var i = 0; i < 1_000; i++)
        {
            Should.Throw<RefusedException>(() => Hold("mail"));
        }

        var entry = _test.Entries(2).ShouldHaveSingleItem();
        entry.Message.ShouldStartWith("Isolated task 'mail' was refused: 2 of its name live, and there is no room for more (Resilience:IsolatedTasks). Started at IsolatedTaskRunnerTests.cs:");
        _test.Time.Advance(TimeSpan.FromSeconds(10));
        _test.Entries(3).ShouldHaveSingleItem().Message.ShouldBe("999 more isolated tasks were refused for want of room within 10 s.");
        _test.Metrics.Sum(Instruments.IsolatedTaskRefusals, (Tags.IsolatedTaskName, "mail"), (Tags.RefusalReason, "bulkhead_full")).ShouldBe(1_000);
    }

    [Fact]
    public async Task Run_ManyFail_LogsTheFirstAndASum()
    {
        for (var i = 0; i < 100; i++)
        {
            await _test.Tasks.Run("mail", static _ => throw new TimeoutException());
        }

        _test.Entries(0).Count.ShouldBe(1);
        _test.Time.Advance(TimeSpan.FromSeconds(10));
        _test.Entries(1).ShouldHaveSingleItem().Message.ShouldStartWith("99 more isolated tasks 'mail' failed with System.TimeoutException at ");
    }

    [Fact]
    public void Run_SwitchedOff_HasNoBounds()
    {
        _test.Policy = new(new IsolatedTaskOptions { Enabled = false, MaxTasks = 1, MaxTasksPerName = 1 });

        for (var i = 0; i < 10; i++)
        {
            _ = Hold("mail");
        }

        _test.Live.ShouldBe(10);
    }

    [Fact]
    public void Run_BoundsAreReloaded_NextCallHasThem()
    {
        _ = Hold("mail");
        _test.Policy = new(new IsolatedTaskOptions { MaxTasksPerName = 1 });

        Should.Throw<RefusedException>(() => Hold("mail"));
        _test.Policy = new(new IsolatedTaskOptions { MaxTasksPerName = 2 });
        _ = Hold("mail");
        _test.Live.ShouldBe(2);
    }

    [Fact]
    public async Task Run_NamesWithoutEnd_ShareOne()
    {
        for (var i = 0; i < IsolatedTaskRunner.MaxNames + 50; i++)
        {
            await _test.Tasks.Run($"order-{i}", static _ => Task.CompletedTask);
        }

        _test.Runner.Snapshot().Count.ShouldBe(IsolatedTaskRunner.MaxNames + 1);
        _test.Metrics.Of(Instruments.IsolatedTaskDuration, (Tags.IsolatedTaskName, "other")).Count.ShouldBe(50);
        _ = Hold("another");
        _ = Hold("yet another");
        Should.Throw<RefusedException>(() => Hold("one too many")).Refusal.Source.ShouldBe("one too many");
    }

    [Fact]
    public async Task Run_WorkBlocksItsThread_OthersStart()
    {
        using var blocked = new ManualResetEventSlim();
        using var unblock = new ManualResetEventSlim();
        var blocker = _test.Tasks.Run("blocks", _ =>
        {
            blocked.Set();
            unblock.Wait(TasksUnderTest.Patience, CancellationToken.None);
            return Task.CompletedTask;
        });
        blocked.Wait(TasksUnderTest.Patience).ShouldBeTrue();

        (await _test.Tasks.Run("mail", static _ => Task.CompletedTask).WaitAsync(TasksUnderTest.Patience)).ShouldBe(CallOutcome.Succeeded);
        blocker.IsCompleted.ShouldBeFalse();
        unblock.Set();
        (await blocker).ShouldBe(CallOutcome.Succeeded);
    }

    [Fact]
    public async Task Run_Awaited_HasLeftBeforeItsCallerGoesOn()
    {
        for (var i = 0; i < 1_000; i++)
        {
            // With a bound of one, a place that is not free yet would refuse.
            _test.Policy = new(new IsolatedTaskOptions { MaxTasks = 1 });
            await _test.Tasks.Run("mail", static async _ => await Task.Yield());
        }

        _test.Live.ShouldBe(0);
    }

    [Fact]
    public async Task Run_RandomEndsInParallel_KeepsCount()
    {
        _test.Policy = new(new IsolatedTaskOptions { MaxTasks = 64, MaxTasksPerName = 24 });
        var outcomes = new int[3];
        var (refused, ran) = (0, 0);
        await Parallel.ForAsync(0, 8, async (seed, _) =>
        {
            var random = new Random(seed);
            List<Task<CallOutcome>> mine = [];
            for (var i = 0; i < 2_000; i++)
            {
                var kind = random.Next(4);
                try
                {
                    mine.Add(_test.Tasks.Run($"name-{random.Next(4)}", async _ =>
                    {
                        Interlocked.Increment(ref ran);
                        if (kind > 1)
                        {
                            await Task.Yield();
                        }

                        if (kind % 2 == 1)
                        {
                            throw new TimeoutException();
                        }
                    }));
                }
                catch (RefusedException)
                {
                    Interlocked.Increment(ref refused);
                    await Task.WhenAll(mine);
                }
            }

            foreach (var outcome in await Task.WhenAll(mine))
            {
                Interlocked.Increment(ref outcomes[(int)outcome]);
            }
        });

        _test.Live.ShouldBe(0);
        outcomes.Sum().ShouldBe(ran);
        (ran + refused).ShouldBe(16_000);
        _test.Metrics.Of(Instruments.IsolatedTaskDuration).Count.ShouldBe(ran);
        _test.Metrics.Sum(Instruments.IsolatedTaskRefusals).ShouldBe(refused);
        _test.Runner.Snapshot().ShouldAllBe(track => track.Live == 0 && track.Origin == null);
    }

    [Fact]
    public void Snapshot_TasksLive_TellsTheOldest()
    {
        _ = Hold("mail");
        _test.Time.Advance(TimeSpan.FromSeconds(5));
        _ = _test.Tasks.Run("mail", _ => _gate.Task, "Send", "C:\\build\\Mailer.cs", 12);
        _ = _test.Tasks.Run("report", _ => _gate.Task, "Print", "/src/Printer.cs", 7);
        _test.Time.Advance(TimeSpan.FromSeconds(2));

        var tracks = _test.Runner.Snapshot();
        tracks.Select(track => (track.Name, track.Live, track.OldestAge, track.IsLeaking)).ShouldBe(
            [("mail", 2, TimeSpan.FromSeconds(7), false), ("report", 1, TimeSpan.FromSeconds(2), false)]);
        tracks[0].Origin.ShouldNotBeNull().ShouldStartWith("IsolatedTaskRunnerTests.cs:");
        tracks[1].Origin.ShouldBe("Printer.cs:7 Print");
        new TaskOrigin("Send", "C:\\build\\Mailer.cs", 12).ToString().ShouldBe("Mailer.cs:12 Send");
        _test.Metrics.RecordObservableInstruments();
        _test.Metrics.Last(Instruments.IsolatedTasksLive, (Tags.IsolatedTaskName, "mail")).ShouldBe(2);
    }

    [Fact]
    public async Task Snapshot_OldestEnds_TellsTheNext()
    {
        var first = new TaskCompletionSource();
        var oldest = _test.Tasks.Run("mail", _ => first.Task, "First", "A.cs", 1);
        _test.Time.Advance(TimeSpan.FromSeconds(1));
        _ = _test.Tasks.Run("mail", _ => _gate.Task, "Second", "B.cs", 2);
        first.SetResult();
        await oldest;

        _test.Runner.Snapshot().ShouldHaveSingleItem().Origin.ShouldBe("B.cs:2 Second");
    }

    private Task<CallOutcome> Hold(string name) => _test.Tasks.Run(name, _ => _gate.Task);

    private sealed class HostileException : Exception
    {
        public override string Message => throw new InvalidOperationException("no message");

        public override string ToString() => throw new InvalidOperationException("no text");
    }
}
