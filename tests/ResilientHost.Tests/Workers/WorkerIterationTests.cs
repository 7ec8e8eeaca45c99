using System.Diagnostics;
using Polly.Timeout;
using ResilientHost.Workers;

namespace ResilientHost.Tests.Workers;

public sealed class WorkerIterationTests : IDisposable
{
    private readonly IterationsUnderTest _under = new();

    private WorkerContext Context => _under.Context;

    public void Dispose() => _under.Dispose();

    [Fact]
    public async Task RunIteration_ThatReturns_Succeeds()
    {
        var ran = 0;

        var outcome = await Context.RunIterationAsync("poll", _ => Task.FromResult(ran++), _under.Stopping);

        outcome.ShouldBe(CallOutcome.Succeeded);
        ran.ShouldBe(1);
        _under.Worker.Snapshot().LastActivity.ShouldBe("poll");
        _under.Time.ArmedTimers.ShouldBe(0);
    }

    [Fact]
    public async Task RunIteration_WithState_HandsItOver()
    {
        var given = new List<int>();

        await Context.RunIterationAsync("poll", static (list, _) => Add(list), given, _under.Stopping);

        given.ShouldBe([1]);

        static Task Add(List<int> list)
        {
            list.Add(1);
            return Task.CompletedTask;
        }
    }

    [Theory]
    [InlineData("before its first await")]
    [InlineData("after an await")]
    [InlineData("by returning no task")]
    public async Task RunIteration_ThatFails_IsContainedAndTold(string how)
    {
        var outcome = await Context.RunIterationAsync("poll", _ => Fail(how), _under.Stopping);

        outcome.ShouldBe(CallOutcome.Failed);
        _under.Worker.State.ShouldBe(WorkerState.Running);
        _under.Worker.Snapshot().LastFailure.ShouldNotBeNull();
        _under.Logs.Entries.ShouldHaveSingleItem().EventId.Id.ShouldBe(1830);
        _under.Silence()!.For.ShouldBe(TimeSpan.Zero);
        _under.Pulse.IsWorking.ShouldBeFalse();
    }

    [Fact]
    public async Task RunIteration_SameFailureAgainAndAgain_IsLoggedOnceAndSummedUp()
    {
        _under.Options.RestartDelay = TimeSpan.Zero;
        _under.Reload();
        for (var i = 0; i < 100; i++)
        {
            await Context.RunIterationAsync("poll", static _ => throw new InvalidOperationException("down"), _under.Stopping);
        }

        _under.Logs.Entries.Count.ShouldBe(1);
        _under.Time.Advance(TimeSpan.FromMinutes(1));

        var more = _under.Logs.Entries[^1];
        more.EventId.Id.ShouldBe(1831);
        more.ValueOf("Count").ShouldBe(99L);
        more.ValueOf("Source").ShouldBe("sync/poll");
    }

    [Fact]
    public async Task RunIteration_InterruptedByTheStop_IsIgnoredAndTheNextOneThrows()
    {
        var started = new TaskCompletionSource();
        var iteration = Context.RunIterationAsync("poll", token => Hang(started, token), _under.Stopping).AsTask();
        await started.Task;

        _under.Stop();

        (await iteration.WaitAsync(IterationsUnderTest.Patience)).ShouldBe(CallOutcome.Ignored);
        _under.Worker.Snapshot().LastFailure.ShouldBeNull();
        _under.Logs.Entries.ShouldBeEmpty();
        await Should.ThrowAsync<OperationCanceledException>(async () => await Context.RunIterationAsync("poll", static _ => Task.CompletedTask, _under.Stopping));
    }

    [Fact]
    public async Task RunIteration_InALoopThatNeverLooksAtItsToken_EndsTheLoop()
    {
        var rounds = 0;
        var loop = Loop();
        await Should.ThrowAsync<OperationCanceledException>(() => loop.WaitAsync(IterationsUnderTest.Patience));
        rounds.ShouldBe(3);

        async Task Loop()
        {
            while (true)
            {
                await Context.RunIterationAsync("poll", _ =>
                {
                    if (++rounds == 3)
                    {
                        _under.Stop();
                    }

                    return Task.CompletedTask;
                });
            }
        }
    }

    [Fact]
    public async Task RunIteration_CancelledByItself_Fails()
    {
        using var own = new CancellationTokenSource();
        await own.CancelAsync();

        var outcome = await Context.RunIterationAsync("poll", _ => Task.FromCanceled(own.Token), _under.Stopping);

        outcome.ShouldBe(CallOutcome.Failed);
        _under.Worker.Snapshot().LastFailure.ShouldBe(typeof(TaskCanceledException).FullName);
    }

    [Fact]
    public async Task RunIteration_ThatFailsOtherwiseWhileStopping_IsToldAndNoFailure()
    {
        var outcome = await Context.RunIterationAsync(
            "poll",
            _ =>
            {
                _under.Stop();
                throw new InvalidOperationException("lost");
            },
            _under.Stopping);

        outcome.ShouldBe(CallOutcome.Ignored);
        _under.Logs.Entries.ShouldBeEmpty();
        _under.Events.LateFailures.ShouldHaveSingleItem().Message.ShouldBe("lost");
    }

    [Fact]
    public async Task RunIteration_WithATokenOfItsOwn_EndsWithEither()
    {
        using var own = new CancellationTokenSource();
        var started = new TaskCompletionSource();
        var iteration = Context.RunIterationAsync("poll", token => Hang(started, token), own.Token).AsTask();
        await started.Task;
        await own.CancelAsync();
        (await iteration.WaitAsync(IterationsUnderTest.Patience)).ShouldBe(CallOutcome.Ignored);

        using var other = new CancellationTokenSource();
        started = new TaskCompletionSource();
        iteration = Context.RunIterationAsync("poll", token => Hang(started, token), other.Token).AsTask();
        await started.Task;
        _under.Stop();
        (await iteration.WaitAsync(IterationsUnderTest.Patience)).ShouldBe(CallOutcome.Ignored);
    }

    [Fact]
    public async Task RunIteration_AfterFailuresInARow_WaitsLongerEachTimeUntilOneSucceeds()
    {
        var runs = 0;
        var fails = true;
        await Run();
        foreach (var expected in new[] { 200, 400, 800 })
        {
            await RunAfter(expected);
        }

        fails = false;
        await RunAfter(1600);
        fails = true;
        Run().IsCompleted.ShouldBeTrue();
        await RunAfter(200);

        Task<CallOutcome> Run() => Context.RunIterationAsync(
            "poll",
            _ =>
            {
                runs++;
                return fails ? throw new InvalidOperationException("down") : Task.CompletedTask;
            },
            _under.Stopping).AsTask();

        async Task RunAfter(int milliseconds)
        {
            var before = runs;
            var next = Run();
            _under.Silence().ShouldBeNull("a delay is no silence");
            _under.Time.Advance(TimeSpan.FromMilliseconds(milliseconds - 1));
            runs.ShouldBe(before);
            _under.Time.Advance(TimeSpan.FromMilliseconds(1));
            await next.WaitAsync(IterationsUnderTest.Patience);
            runs.ShouldBe(before + 1);
        }
    }

    [Fact]
    public async Task RunIteration_OfAnotherName_IsNotDelayed()
    {
        await Context.RunIterationAsync("poll", static _ => throw new InvalidOperationException("down"), _under.Stopping);

        var other = Context.RunIterationAsync("clean", static _ => Task.CompletedTask, _under.Stopping).AsTask();

        other.IsCompletedSuccessfully.ShouldBeTrue();
        (await other).ShouldBe(CallOutcome.Succeeded);
    }

    [Fact]
    public async Task RunIteration_StoppedDuringItsDelay_Throws()
    {
        await Context.RunIterationAsync("poll", static _ => throw new InvalidOperationException("down"), _under.Stopping);
        var next = Context.RunIterationAsync("poll", static _ => Task.CompletedTask, _under.Stopping).AsTask();

        _under.Stop();

        await Should.ThrowAsync<OperationCanceledException>(() => next.WaitAsync(IterationsUnderTest.Patience));
    }

    [Fact]
    public async Task RunIteration_WhoseInnerLayerRefuses_IsIgnoredButDelaysTheNext()
    {
        var refused = await Context.RunIterationAsync("poll", static _ => throw new RefusedException(new Refusal(RefusalReason.CircuitOpen, "http", null)), _under.Stopping);
        var timedOut = await Context.RunIterationAsync("call", static _ => throw new TimeoutRejectedException(), _under.Stopping);

        refused.ShouldBe(CallOutcome.Ignored);
        timedOut.ShouldBe(CallOutcome.Failed);
        _under.Worker.Snapshot().LastFailure.ShouldNotBeNull();
        Context.RunIterationAsync("poll", static _ => Task.CompletedTask, _under.Stopping).AsTask().IsCompleted.ShouldBeFalse();
    }

    [Fact]
    public async Task RunIteration_WithTheKillSwitchOff_ThrowsWhatTheIterationThrows()
    {
        _under.Reload(enabled: false);

        for (var i = 0; i < 2; i++)
        {
            (await Should.ThrowAsync<InvalidOperationException>(
                async () => await Context.RunIterationAsync("poll", static _ => throw new InvalidOperationException("down"), _under.Stopping))).Message.ShouldBe("down");
        }

        _under.Worker.Snapshot().LastFailure.ShouldBeNull();
        _under.Metrics.Of(ResilienceDiagnostics.Instruments.WorkerIterationDuration).Count.ShouldBe(2);
    }

    [Fact]
    public async Task RunIteration_UnderAnotherSpan_IsTheRootOfItsOwnTrace()
    {
        using var spans = new ActivityRecorder(ResilienceDiagnostics.ActivitySourceName);
        using var outer = new Activity("outer").Start();
        Activity? inside = null;

        await Context.RunIterationAsync(
            $"poll {_under.GetHashCode()}",
            _ =>
            {
                inside = Activity.Current;
                throw new InvalidOperationException("down");
            },
            _under.Stopping);

        Activity.Current.ShouldBe(outer);
        var span = spans.Finished.Single(activity => Equals(activity.GetTagItem(ResilienceDiagnostics.Tags.Iteration), $"poll {_under.GetHashCode()}"));
        span.ShouldBe(inside);
        span.OperationName.ShouldBe(ResilienceDiagnostics.Spans.WorkerIteration);
        span.ParentSpanId.ShouldBe(default);
        span.TraceId.ShouldNotBe(outer.TraceId);
        span.Status.ShouldBe(ActivityStatusCode.Error);
        span.GetTagItem(ResilienceDiagnostics.Tags.WorkerName).ShouldBe("sync");
        span.GetTagItem(ResilienceDiagnostics.Tags.WorkerRun).ShouldBe(1);
        span.GetTagItem(ResilienceDiagnostics.Tags.Outcome).ShouldBe("failed");
    }

    [Fact]
    public async Task RunIteration_TwiceInARow_HasTwoTraces()
    {
        using var spans = new ActivityRecorder(ResilienceDiagnostics.ActivitySourceName);
        var name = $"poll {_under.GetHashCode()}";
        await Context.RunIterationAsync(name, static _ => Task.CompletedTask, _under.Stopping);
        await Context.RunIterationAsync(name, static async _ => await Task.Yield(), _under.Stopping);

        spans.Finished.Where(span => Equals(span.GetTagItem(ResilienceDiagnostics.Tags.Iteration), name)).Select(span => span.TraceId).Distinct().Count().ShouldBe(2);
    }

    [Fact]
    public async Task RunIteration_Measures_DurationByWorkerNameAndOutcome()
    {
        await Context.RunIterationAsync(
            "poll",
            _ =>
            {
                _under.Time.Advance(TimeSpan.FromSeconds(3));
                return Task.CompletedTask;
            },
            _under.Stopping);

        _under.Metrics.Of(
            ResilienceDiagnostics.Instruments.WorkerIterationDuration,
            (ResilienceDiagnostics.Tags.WorkerName, "sync"),
            (ResilienceDiagnostics.Tags.Iteration, "poll"),
            (ResilienceDiagnostics.Tags.Outcome, "succeeded")).ShouldHaveSingleItem().Value.ShouldBe(3);
    }

    [Fact]
    public async Task RunIteration_WithNamesWithoutEnd_KeepsTheTagsClosed()
    {
        for (var i = 0; i < NameCap.Most + 50; i++)
        {
            await Context.RunIterationAsync($"poll {i}", static _ => Task.CompletedTask, _under.Stopping);
        }

        _under.Metrics.Of(ResilienceDiagnostics.Instruments.WorkerIterationDuration, (ResilienceDiagnostics.Tags.Iteration, "other")).Count.ShouldBe(50);
    }

    [Fact]
    public async Task RunIteration_WithNamesWithoutEndThatFail_IsDelayedAllTheSame()
    {
        for (var i = 0; i < IterationDelays.MaxNames + 1; i++)
        {
            await Context.RunIterationAsync($"poll {i}", static _ => throw new InvalidOperationException("down"), _under.Stopping);
        }

        Context.RunIterationAsync("poll another", static _ => Task.CompletedTask, _under.Stopping).AsTask().IsCompleted.ShouldBeFalse();
    }

    [Fact]
    public void RunIteration_WithoutNameOrWork_IsTheCallersError()
    {
        Should.Throw<ArgumentException>(() => Context.RunIterationAsync(" ", static _ => Task.CompletedTask).AsTask());
        Should.Throw<ArgumentNullException>(() => Context.RunIterationAsync("poll", null!).AsTask());
        Should.Throw<ArgumentNullException>(() => Context.RunIterationAsync("poll", null!, 1).AsTask());
    }

    private static Task? NoTask => null;

    private static async Task Hang(TaskCompletionSource started, CancellationToken token)
    {
        var never = new TaskCompletionSource();
        await using var registration = token.Register(() => never.TrySetCanceled(token));
        started.SetResult();
        await never.Task;
    }

    private static Task Fail(string how)
    {
        return how switch
        {
            "after an await" => Later(),
            "by returning no task" => NoTask!,
            _ => throw new InvalidOperationException("down"),
        };

        static async Task Later()
        {
            await Task.Yield();
            throw new InvalidOperationException("down");
        }
    }
}
