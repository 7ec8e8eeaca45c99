using ResilientHost.Workers;

namespace ResilientHost.Tests.Workers;

public sealed class WorkerGateTests : IDisposable
{
    private readonly IterationsUnderTest _under = new();
    private int _runs;

    public void Dispose() => _under.Dispose();

    [Fact]
    public async Task Iteration_AtALevelItDoesNotRunAt_PausesUntilTheLevelIsBetter()
    {
        _under.Level.Current = ServiceLevel.Survival;
        var iteration = Iterate();

        iteration.IsCompleted.ShouldBeFalse();
        _under.Worker.State.ShouldBe(WorkerState.Paused);
        _under.Time.Advance(TimeSpan.FromHours(1));
        _under.Silence().ShouldBeNull("a pause is no silence");

        _under.Level.Current = ServiceLevel.Essential;
        (await Done(iteration)).ShouldBe(CallOutcome.Succeeded);

        _under.Events.Moves.ShouldBe(["Running>Paused ServiceLevel", "Paused>Running ServiceLevel"]);
        _under.Events.Transitions[0].Detail.ShouldBe("the service level is Survival");
        _under.Events.Transitions[0].Run.ShouldBe(1);
        ShouldHoldNothing();
    }

    [Theory]
    [InlineData(Criticality.Sheddable, null, ServiceLevel.Reduced, true)]
    [InlineData(Criticality.Default, null, ServiceLevel.Essential, false)]
    [InlineData(Criticality.Default, null, ServiceLevel.Survival, true)]
    [InlineData(Criticality.Critical, null, ServiceLevel.Survival, false)]
    [InlineData(Criticality.Critical, ServiceLevel.Essential, ServiceLevel.Reduced, false)]
    [InlineData(Criticality.Critical, ServiceLevel.Essential, ServiceLevel.Essential, true)]
    [InlineData(Criticality.Sheddable, ServiceLevel.Normal, ServiceLevel.Survival, false)]
    public void Iteration_AtALevel_PausesAsItsOptionsSay(Criticality criticality, ServiceLevel? pauseAt, ServiceLevel level, bool pauses)
    {
        _under.Options.Criticality = criticality;
        _under.Options.PauseAt = pauseAt;
        _under.Reload();
        _under.Level.Current = level;

        Iterate().IsCompleted.ShouldBe(!pauses);
    }

    [Fact]
    public void Iteration_InShadowMode_DoesNotPause()
    {
        _under.Level.Mode = DegradationMode.Shadow;
        _under.Level.Current = ServiceLevel.Survival;

        Iterate().IsCompletedSuccessfully.ShouldBeTrue();
    }

    [Fact]
    public async Task Iteration_Paused_GoesOnWhenConfigurationOrTheKillSwitchSaysSo()
    {
        _under.Level.Current = ServiceLevel.Survival;
        var iteration = Iterate();
        _under.Options.PauseAt = ServiceLevel.Normal;
        _under.Reload();
        _under.Time.Advance(WorkerGate.LongestWait);
        await Done(iteration);

        _under.Options.PauseAt = ServiceLevel.Survival;
        _under.Reload();
        iteration = Iterate();
        iteration.IsCompleted.ShouldBeFalse();
        _under.Reload(enabled: false);
        _under.Time.Advance(WorkerGate.LongestWait);
        await Done(iteration);
        _under.Worker.State.ShouldBe(WorkerState.Running);
    }

    [Fact]
    public async Task Iteration_WhileTheCircuitIsOpen_PausesUntilItIsHalfOpenAndIsItsProbe()
    {
        var breaker = _under.AddBreaker();
        await Iterate(fails: true);
        breaker.State.ShouldBe(CircuitState.Open);
        _under.Time.Advance(TimeSpan.FromSeconds(1));

        var iteration = Iterate();
        _under.Worker.State.ShouldBe(WorkerState.Paused);
        _under.Silence().ShouldBeNull();
        for (var second = 1; second < 4; second++)
        {
            _under.AwaitTimer();
            _under.Time.Advance(TimeSpan.FromSeconds(1));
            _runs.ShouldBe(1);
        }

        _under.AwaitTimer();
        _under.Time.Advance(TimeSpan.FromSeconds(1));
        (await Done(iteration)).ShouldBe(CallOutcome.Succeeded);

        breaker.State.ShouldBe(CircuitState.Closed);
        breaker.Snapshot().Refused.ShouldBe(0, "asking whether it is open is no call");
        _under.Events.Moves.ShouldBe(["Running>Paused Circuit", "Paused>Running Circuit"]);
        _under.Events.Transitions[0].Detail.ShouldBe("the circuit 'inventory' is Open");
        ShouldHoldNothing();
    }

    [Fact]
    public async Task Iteration_PausedByTheCircuit_GoesOnAtOnceWhenAPersonResetsIt()
    {
        var breaker = _under.AddBreaker();
        breaker.Isolate();
        var iteration = Iterate();
        _under.Worker.State.ShouldBe(WorkerState.Paused);

        breaker.Reset();

        await Done(iteration);
        _runs.ShouldBe(1);
    }

    [Fact]
    public async Task Iteration_AfterALevelAndACircuit_WaitsForBothInTurn()
    {
        var breaker = _under.AddBreaker();
        breaker.Isolate();
        _under.Level.Current = ServiceLevel.Survival;
        var iteration = Iterate();

        _under.Level.Current = ServiceLevel.Normal;
        await Until(() => _under.Events.Transitions.Count == 3);
        breaker.Reset();
        await Done(iteration);

        _under.Events.Moves.ShouldBe([
            "Running>Paused ServiceLevel", "Paused>Running ServiceLevel", "Running>Paused Circuit", "Paused>Running Circuit",
        ]);
    }

    [Fact]
    public async Task Iteration_StoppedWhilePaused_ThrowsAndHoldsNothing()
    {
        var breaker = _under.AddBreaker();
        _under.AddBulkhead();
        _under.Options.CircuitBreaker = breaker.Name;
        _under.Reload();
        breaker.Isolate();
        var iteration = Iterate();

        _under.Stop();

        await Should.ThrowAsync<OperationCanceledException>(() => Done(iteration));
        _runs.ShouldBe(0);
        _under.Events.Moves.ShouldBe(["Running>Paused Circuit"], "what a run does after it was asked to stop is not the worker's state");
        ShouldHoldNothing();
    }

    [Fact]
    public async Task Iterations_PausedTogether_ShowOnePause()
    {
        _under.Level.Current = ServiceLevel.Survival;
        var iterations = Enumerable.Range(0, 10).Select(_ => Iterate()).ToArray();

        _under.Level.Current = ServiceLevel.Normal;
        await Task.WhenAll(iterations).WaitAsync(IterationsUnderTest.Patience);

        _under.Events.Moves.ShouldBe(["Running>Paused ServiceLevel", "Paused>Running ServiceLevel"]);
        ShouldHoldNothing();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task Iteration_WithoutAPlaceInTheBulkhead_WaitsForOneAndIsNoPause(int queueLength)
    {
        var bulkhead = _under.AddBulkhead(configure: options => options.QueueLength = queueLength);
        bulkhead.TryEnter(out var lease, out _).ShouldBeTrue();
        var iteration = Iterate();
        iteration.IsCompleted.ShouldBeFalse();
        _under.Worker.State.ShouldBe(WorkerState.Running);
        _under.Silence().ShouldBeNull();

        // Longer than its queue allows: it asks again.
        for (var i = 0; i < 3; i++)
        {
            _under.AwaitTimer();
            _under.Time.Advance(TimeSpan.FromSeconds(1));
        }

        _under.AwaitTimer();
        _runs.ShouldBe(0);
        bulkhead.Exit(lease, CallOutcome.Succeeded);
        _under.Time.Advance(TimeSpan.FromMilliseconds(100));

        (await Done(iteration)).ShouldBe(CallOutcome.Succeeded);
        _under.Events.Transitions.ShouldBeEmpty();
        bulkhead.Snapshot().InFlight.ShouldBe(0);

        // The bulkhead's own timer, which sums up its refusals.
        _under.Time.Advance(TimeSpan.FromMinutes(1));
        ShouldHoldNothing();
    }

    [Fact]
    public async Task Iteration_WhoseCircuitOpensWhileItQueues_GivesItsPlaceBackAndPauses()
    {
        var breaker = _under.AddBreaker();
        var bulkhead = _under.AddBulkhead(configure: options =>
        {
            options.QueueLength = 1;
            options.QueueTimeout = TimeSpan.FromMinutes(1);
        });
        bulkhead.TryEnter(out var lease, out _).ShouldBeTrue();
        var iteration = Iterate();
        breaker.Isolate();

        bulkhead.Exit(lease, CallOutcome.Succeeded);

        await Until(() => _under.Worker.State == WorkerState.Paused);
        await Until(() => bulkhead.Snapshot().InFlight == 0);
        breaker.Reset();
        await Done(iteration);
        bulkhead.Snapshot().InFlight.ShouldBe(0);
    }

    [Fact]
    public async Task Iteration_HoldsItsPlaceAndTellsItsOutcome()
    {
        var breaker = _under.AddBreaker();
        var bulkhead = _under.AddBulkhead();
        var inside = 0;

        await _under.Context.RunIterationAsync(
            "poll",
            _ =>
            {
                inside = bulkhead.Snapshot().InFlight;
                throw new InvalidOperationException("down");
            },
            _under.Stopping);

        inside.ShouldBe(1);
        bulkhead.Snapshot().InFlight.ShouldBe(0);
        breaker.State.ShouldBe(CircuitState.Open);
    }

    [Fact]
    public async Task Iteration_InterruptedByTheStop_IsNoFailureOfTheCircuit()
    {
        var breaker = _under.AddBreaker();
        var bulkhead = _under.AddBulkhead();
        var started = new TaskCompletionSource();
        var iteration = _under.Context.RunIterationAsync(
            "poll",
            async token =>
            {
                started.SetResult();
                await new TaskCompletionSource().Task.WaitAsync(token);
            },
            _under.Stopping).AsTask();
        await started.Task;

        _under.Stop();

        (await Done(iteration)).ShouldBe(CallOutcome.Ignored);
        breaker.Snapshot().Calls.ShouldBe(0);
        breaker.State.ShouldBe(CircuitState.Closed);
        bulkhead.Snapshot().InFlight.ShouldBe(0);
    }

    [Fact]
    public async Task Iteration_WithTheKillSwitchOff_MeetsNoLayer()
    {
        var breaker = _under.AddBreaker();
        breaker.Isolate();
        _under.Level.Current = ServiceLevel.Survival;
        _under.Reload(enabled: false);

        (await Done(Iterate())).ShouldBe(CallOutcome.Succeeded);
        await Done(_under.Context.WaitWhilePausedAsync(_under.Stopping).AsTask());
        _under.Events.Transitions.ShouldBeEmpty();
    }

    [Fact]
    public async Task WaitWhilePaused_OfALoopOfOnesOwn_WaitsForLevelAndCircuitAndTakesNoPermit()
    {
        var breaker = _under.AddBreaker();
        _under.Context.WaitWhilePausedAsync(_under.Stopping).AsTask().IsCompletedSuccessfully.ShouldBeTrue();
        breaker.Isolate();
        var waiting = _under.Context.WaitWhilePausedAsync(_under.Stopping).AsTask();
        _under.Worker.State.ShouldBe(WorkerState.Paused);

        breaker.Reset();
        await waiting.WaitAsync(IterationsUnderTest.Patience);

        _under.Worker.State.ShouldBe(WorkerState.Running);
        breaker.Snapshot().Calls.ShouldBe(0);

        breaker.Isolate();
        waiting = _under.Context.WaitWhilePausedAsync(CancellationToken.None).AsTask();
        _under.Stop();
        await Should.ThrowAsync<OperationCanceledException>(() => waiting.WaitAsync(IterationsUnderTest.Patience));
    }

    [Fact]
    public async Task WaitWhilePaused_BesideAnIterationUnderWay_LeavesItsSilenceToBeJudged()
    {
        var release = new TaskCompletionSource();
        var iteration = _under.Context.RunIterationAsync("poll", _ => release.Task, _under.Stopping).AsTask();
        _under.Level.Current = ServiceLevel.Survival;
        var waiting = _under.Context.WaitWhilePausedAsync(_under.Stopping).AsTask();

        _under.Time.Advance(TimeSpan.FromSeconds(9));
        _under.Silence()!.For.ShouldBe(TimeSpan.FromSeconds(9));

        release.SetResult();
        await Done(iteration);
        _under.Silence().ShouldBeNull();
        _under.Level.Current = ServiceLevel.Normal;
        await waiting.WaitAsync(IterationsUnderTest.Patience);
    }

    [Fact]
    public async Task Pass_OfTheGate_IsTakenLastAndGivenBackOnce()
    {
        var breaker = _under.AddBreaker();
        var bulkhead = _under.AddBulkhead();
        await Iterate(fails: true);
        _under.Time.Advance(TimeSpan.FromSeconds(5));

        var pass = await _under.Context.Gate.EnterAsync(_under.Stopping);
        var second = _under.Context.Gate.EnterAsync(_under.Stopping).AsTask();
        second.IsCompleted.ShouldBeFalse("the only probe is out");
        pass.Exit(CallOutcome.Ignored);
        _under.AwaitTimer();
        _under.Time.Advance(TimeSpan.FromSeconds(1));
        (await second.WaitAsync(IterationsUnderTest.Patience)).Exit(CallOutcome.Succeeded);

        breaker.State.ShouldBe(CircuitState.Closed);
        bulkhead.Snapshot().InFlight.ShouldBe(0);
    }

    private static Task<CallOutcome> Done(Task<CallOutcome> iteration) => iteration.WaitAsync(IterationsUnderTest.Patience);

    private static Task Done(Task waiting) => waiting.WaitAsync(IterationsUnderTest.Patience);

    private static Task Until(Func<bool> condition)
    {
        SpinWait.SpinUntil(condition, IterationsUnderTest.Patience).ShouldBeTrue();
        return Task.CompletedTask;
    }

    private Task<CallOutcome> Iterate(bool fails = false) => _under.Context.RunIterationAsync(
        "poll",
        _ =>
        {
            Interlocked.Increment(ref _runs);
            return fails ? throw new InvalidOperationException("down") : Task.CompletedTask;
        },
        _under.Stopping).AsTask();

    private void ShouldHoldNothing()
    {
        _under.Time.ArmedTimers.ShouldBe(0);
        _under.Level.Listeners.ShouldBe(0);
        _under.Pulse.IsWorking.ShouldBeFalse();
    }
}
