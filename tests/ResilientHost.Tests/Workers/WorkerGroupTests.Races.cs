using ResilientHost.Workers;

namespace ResilientHost.Tests.Workers;

public sealed partial class WorkerGroupTests
{
    [Fact]
    public async Task OneForAll_AMemberFails_TheOthersEndInReverseAndAllBeginInOrder()
    {
        _options.RestartDelay = TimeSpan.Zero;
        var (a, b, c) = (Scripted("a"), Scripted("b"), Scripted("c"));
        using var group = Group(new WorkerGroupOptions { Strategy = GroupStrategy.OneForAll }, a, b, c);
        foreach (var member in group.Members)
        {
            await group.StartAsync(member);
        }

        (await a.NextRunAsync()).Obey();
        var failing = await b.NextRunAsync();
        (await c.NextRunAsync()).Obey();
        failing.Throw(new InvalidDataException());

        (await _events.UntilAsync("c Stopped>Running Group")).Skip(3).ShouldBe(
        [
            "b Running>BackingOff Failure",
            "c Running>Stopping Group", "c Stopping>Stopped Group",
            "a Running>Stopping Group", "a Stopping>Stopped Group",
            "a Stopped>Running Group", "b BackingOff>Running Restart", "c Stopped>Running Group",
        ]);
        (await a.NextRunAsync()).Number.ShouldBe(2);
    }

    [Theory]
    [InlineData(null, "as it is")]
    [InlineData(GiveUpAction.Fail, "Fail")]
    public async Task GiveUp_InAGroup_DoesWhatTheGroupSaysAndElseLeavesItOpen(GiveUpAction? action, string expected)
    {
        var a = Scripted("a");
        var b = new ScriptedWorker("b", _time, () => new() { Criticality = Criticality.Critical });
        using var group = Group(new WorkerGroupOptions { MaxRestarts = 0, OnGiveUp = action }, a, b);
        await group.StartAsync(a.Worker);
        await group.StartAsync(b.Worker);
        (await b.NextRunAsync()).Obey();

        (await a.NextRunAsync()).Throw(new InvalidDataException());

        (await _events.UntilAsync("b Stopping>Failed GaveUp")).ShouldContain($"a of g gave up: {expected}, InvalidDataException");
    }

    [Fact]
    public async Task StopEndAndDelay_AtTheSameTime_LeaveTheMemberStoppedAndNothingRunning()
    {
        for (var round = 0; round < 300; round++)
        {
            // Also a run that began after the delay, before the stop: nobody takes it.
            var (group, a) = Lone(obeys: true);
            using var owned = group;
            await group.StartAsync(a.Worker);
            var run = await a.NextRunAsync();
            using Barrier gate = new(3);

            var stopped = Threaded(() => group.StopAsync(a.Worker, CancellationToken.None));
            var ended = Threaded(() =>
            {
                run.TryThrow(new InvalidDataException());
                return Task.CompletedTask;
            });
            var passed = Threaded(() =>
            {
                _time.Advance(Second);
                return Task.CompletedTask;
            });
            await Task.WhenAll(stopped, ended, passed).WaitAsync(Deadline);
            _time.Advance(20 * Second);

            a.Worker.State.ShouldBeOneOf(WorkerState.Stopped, WorkerState.Failed);
            run.Stopping.IsCancellationRequested.ShouldBeTrue();
            _time.ArmedTimers.ShouldBe(0);

            Task Threaded(Func<Task> action) => Task.Factory.StartNew(
                () =>
                {
                    gate.SignalAndWait();
                    return action();
                },
                CancellationToken.None,
                TaskCreationOptions.LongRunning,
                TaskScheduler.Default).Unwrap();
        }
    }

    [Fact]
    public async Task Storm_ManyThreadsAskForEverything_NoTwoRunsOfAMemberOverlapAndAllEnd()
    {
        _options.RestartDelay = TimeSpan.Zero;
        _options.MaxRestarts = 1_000_000;
        var overlaps = 0;
        var members = Enumerable.Range(0, 4).Select(Member).ToArray();
        using var group = Group(new WorkerGroupOptions { Strategy = GroupStrategy.RestForOne, MaxRestarts = 1_000_000 }, members);
        foreach (var member in members)
        {
            await group.StartAsync(member.Worker);
        }

        await Task.WhenAll(Enumerable.Range(0, 4).Select(seed => Task.Run(async () =>
        {
            Random random = new(seed);
            for (var step = 0; step < 500; step++)
            {
                var worker = members[random.Next(members.Length)].Worker;
                switch (random.Next(5))
                {
                    case 0:
                        group.Restart(worker);
                        break;
                    case 1:
                        await group.PauseAsync(worker, detail: null);
                        break;
                    case 2:
                        await group.ResumeAsync(worker);
                        break;
                    case 3:
                        group.ReportStuck(worker, worker.Pulse.Run, Second, null);
                        break;
                    default:
                        await Task.Yield();
                        break;
                }
            }
        }))).WaitAsync(Deadline);
        foreach (var member in members.Reverse())
        {
            await group.StopAsync(member.Worker, CancellationToken.None).WaitAsync(Deadline);
        }

        overlaps.ShouldBe(0);
        members.ShouldAllBe(member => member.Worker.State == WorkerState.Stopped);
        members.ShouldAllBe(member => member.Worker.Snapshot().Abandoned == 0);

        ScriptedWorker Member(int index)
        {
            var running = 0;
            return new($"w{index}", _time, () => _options)
            {
                CanReplace = false,
                Does = async run =>
                {
                    if (Interlocked.Increment(ref running) > 1)
                    {
                        Interlocked.Increment(ref overlaps);
                    }

                    TaskCompletionSource asked = new(TaskCreationOptions.RunContinuationsAsynchronously);
                    await using var registration = run.Stopping.UnsafeRegister(_ => asked.TrySetResult(), null);
                    await asked.Task;
                    Interlocked.Decrement(ref running);
                },
            };
        }
    }
}
