namespace ResilientHost.Tests.CircuitBreaking;

public sealed partial class CircuitBreakerTests
{
    [Fact]
    public void TryEnter_HalfOpen_AdmitsProbesUpToTheLimit()
    {
        var breaker = MakeHalfOpen();
        for (var i = 0; i < 3; i++)
        {
            Enter(breaker).IsProbe.ShouldBeTrue();
        }

        Refuse(breaker).ShouldBe(new Refusal(RefusalReason.CircuitOpen, "db", null));
        breaker.IsRefusing(_time.GetTimestamp(), out _).ShouldBeTrue();
    }

    [Fact]
    public void TryEnter_ResultsPlusProbesInFlightAtTheLimit_Refuses()
    {
        var breaker = MakeHalfOpen(o => o.FailureRatio = 1.0 / 3);
        Call(breaker, CallOutcome.Succeeded);
        Enter(breaker);
        Enter(breaker);
        Refuse(breaker);
    }

    [Fact]
    public void Exit_IgnoredProbe_GivesItsPlaceBackOnce()
    {
        var breaker = MakeHalfOpen();
        var probe = Enter(breaker);
        Enter(breaker);
        Enter(breaker);
        breaker.Exit(probe, CallOutcome.Ignored);
        breaker.Exit(probe, CallOutcome.Ignored);
        Enter(breaker).IsProbe.ShouldBeTrue();
        Refuse(breaker);
    }

    [Fact]
    public void Exit_ProbeThatEndedAlready_IsNoOp()
    {
        var breaker = MakeHalfOpen();
        var probe = Enter(breaker);
        breaker.Exit(probe, CallOutcome.Failed).ShouldBeNull();
        breaker.Exit(probe, CallOutcome.Failed).ShouldBeNull();
        var snapshot = breaker.Snapshot();
        (snapshot.State, snapshot.Calls, snapshot.Failures).ShouldBe((CircuitState.HalfOpen, 1, 1));
    }

    [Theory]
    [InlineData(0.5, 3, "SS", CircuitState.Closed)]
    [InlineData(0.5, 3, "FF", CircuitState.Open)]
    [InlineData(0.5, 3, "FS", CircuitState.HalfOpen)]
    [InlineData(0.5, 3, "FSS", CircuitState.Closed)]
    [InlineData(1.0, 3, "S", CircuitState.Closed)]
    [InlineData(1.0, 3, "FF", CircuitState.HalfOpen)]
    [InlineData(1.0, 3, "FFF", CircuitState.Open)]
    [InlineData(0.3, 3, "SS", CircuitState.HalfOpen)]
    [InlineData(0.3, 3, "SSS", CircuitState.Closed)]
    [InlineData(0.3, 3, "F", CircuitState.Open)]
    [InlineData(0.5, 1, "S", CircuitState.Closed)]
    [InlineData(0.5, 4, "SS", CircuitState.HalfOpen)]
    [InlineData(0.5, 4, "FF", CircuitState.Open)]
    [InlineData(0.5, 4, "SSS", CircuitState.Closed)]
    public void Exit_Probes_VerdictFallsAsSoonAsItCannotChange(double ratio, int probes, string results, CircuitState expected)
    {
        var breaker = MakeHalfOpen(o => (o.FailureRatio, o.HalfOpenProbes) = (ratio, probes));
        for (var i = 0; i < results.Length; i++)
        {
            breaker.State.ShouldBe(CircuitState.HalfOpen);
            Call(breaker, results[i] == 'S' ? CallOutcome.Succeeded : CallOutcome.Failed);
        }

        breaker.State.ShouldBe(expected);
    }

    [Fact]
    public void Exit_SlowProbes_Reopen()
    {
        var breaker = MakeHalfOpen(o => (o.SlowCallDuration, o.SlowCallRatio) = (Second, 0.5));
        SlowCall(breaker, Second).ShouldBeNull();
        SlowCall(breaker, Second)!.Cause.ShouldBe(CircuitTransitionCause.ProbesFailed);
    }

    [Fact]
    public void Exit_FailedProbeOfConsecutiveFailuresAlone_Reopens()
    {
        var breaker = Make(o => (o.FailureRatio, o.ConsecutiveFailures) = (null, 4));
        Trip(breaker);
        _time.Advance(5 * Second);
        Call(breaker, CallOutcome.Succeeded, 2);
        breaker.State.ShouldBe(CircuitState.HalfOpen);
        Call(breaker, CallOutcome.Failed)!.Cause.ShouldBe(CircuitTransitionCause.ProbesFailed);
    }

    [Fact]
    public void Close_ProbesSucceeded_StartsAnEmptyWindowInANewEra()
    {
        var breaker = MakeHalfOpen();
        Call(breaker, CallOutcome.Succeeded, 2);
        var snapshot = breaker.Snapshot();
        (snapshot.State, snapshot.Calls, snapshot.Era).ShouldBe((CircuitState.Closed, 0, 4L));
    }

    [Fact]
    public void Report_LateSuccessOfOlderEra_LeavesCircuitHalfOpen()
    {
        var breaker = Make();
        var late = Enter(breaker);
        Trip(breaker);
        _time.Advance(5 * Second);
        breaker.State.ShouldBe(CircuitState.HalfOpen);
        breaker.Exit(late, CallOutcome.Succeeded).ShouldBeNull();
        var snapshot = breaker.Snapshot();
        (snapshot.State, snapshot.Calls).ShouldBe((CircuitState.HalfOpen, 0));
    }

    [Fact]
    public void Exit_LateProbeOfEarlierHalfOpenEra_CountsNowhere()
    {
        var breaker = MakeHalfOpen();
        var late = Enter(breaker);
        Call(breaker, CallOutcome.Failed, 2);
        _time.Advance(10 * Second);
        breaker.State.ShouldBe(CircuitState.HalfOpen);
        breaker.Exit(late, CallOutcome.Failed).ShouldBeNull();
        breaker.Exit(default, CallOutcome.Failed).ShouldBeNull();
        (breaker.Snapshot().Calls, breaker.Snapshot().LateResults).ShouldBe((0, 1L));
    }

    [Fact]
    public void State_ProbeNeverReturns_ReopensWhenItIsDue()
    {
        var breaker = MakeHalfOpen();
        var events = Record(breaker);
        var due = _time.GetUtcNow() + 10 * Second;
        Enter(breaker);
        _time.Advance(10 * Second - Tick);
        breaker.State.ShouldBe(CircuitState.HalfOpen);
        _time.Advance(2 * Second);
        breaker.State.ShouldBe(CircuitState.Open);
        events.Next().ShouldBe(new CircuitTransition("db", CircuitState.HalfOpen, CircuitState.Open, CircuitTransitionCause.ProbesTimedOut, 4, due));
        breaker.Snapshot().RetryAfter.ShouldBe((8 * Second) + Tick, "the break runs from the moment it was due");
    }

    [Fact]
    public void State_ProbeLostLongAgo_RunsThroughTheBreakToo()
    {
        var breaker = MakeHalfOpen();
        var events = Record(breaker);
        Enter(breaker);
        _time.Advance(60 * Second);
        breaker.State.ShouldBe(CircuitState.HalfOpen);
        events.Next().Cause.ShouldBe(CircuitTransitionCause.ProbesTimedOut);
        events.Next().Cause.ShouldBe(CircuitTransitionCause.BreakElapsed);
        breaker.Snapshot().Era.ShouldBe(5);
    }

    [Fact]
    public void Exit_ProbeLaterThanHalfOpenMaxDuration_ComesTooLate()
    {
        var breaker = MakeHalfOpen(o => o.HalfOpenProbes = 1);
        SlowCall(breaker, 10 * Second)!.Cause.ShouldBe(CircuitTransitionCause.ProbesTimedOut);
        breaker.State.ShouldBe(CircuitState.Open);
    }

    [Fact]
    public void State_HalfOpenWithoutProbes_StaysHalfOpenForever()
    {
        var breaker = MakeHalfOpen();
        _time.Advance(TimeSpan.FromDays(1));
        breaker.State.ShouldBe(CircuitState.HalfOpen);
    }

    [Fact]
    public void State_OldestProbeReturns_TheNextOldestDecides()
    {
        var breaker = MakeHalfOpen();
        var first = Enter(breaker);
        _time.Advance(6 * Second);
        Enter(breaker);
        breaker.Exit(first, CallOutcome.Ignored);
        _time.Advance(6 * Second);
        breaker.State.ShouldBe(CircuitState.HalfOpen);
        _time.Advance(4 * Second);
        breaker.State.ShouldBe(CircuitState.Open);
    }

    [Fact]
    public void Reopen_AfterLostProbe_CountsForTheBackoff()
    {
        var breaker = MakeHalfOpen();
        Enter(breaker);
        _time.Advance(10 * Second);
        breaker.Snapshot().RetryAfter.ShouldBe(10 * Second);
    }
}
