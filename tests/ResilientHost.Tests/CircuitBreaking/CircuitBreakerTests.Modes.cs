namespace ResilientHost.Tests.CircuitBreaking;

public sealed partial class CircuitBreakerTests
{
    [Fact]
    public void Disabled_AnyOutcome_RecordsNothing()
    {
        var breaker = Make(o => o.Mode = CircuitMode.Disabled);
        for (var i = 0; i < 20; i++)
        {
            var permit = Enter(breaker);
            permit.Era.ShouldBe(0);
            breaker.Exit(permit, CallOutcome.Failed).ShouldBeNull();
        }

        var snapshot = breaker.Snapshot();
        (snapshot.State, snapshot.Mode, snapshot.Calls).ShouldBe((CircuitState.Closed, CircuitMode.Disabled, 0));
    }

    [Fact]
    public void Disabled_AppliedWhileOpen_AdmitsAndKeepsTheState()
    {
        var breaker = MakeOpen();
        breaker.Apply(Options(o => o.Mode = CircuitMode.Disabled));
        Enter(breaker).Era.ShouldBe(0);
        breaker.State.ShouldBe(CircuitState.Open);
        breaker.IsRefusing(_time.GetTimestamp(), out _).ShouldBeFalse();
        breaker.Apply(Options());
        Refuse(breaker).RetryAfter.ShouldBe(5 * Second);
    }

    [Fact]
    public void Disabled_PermitFromBefore_IsNotRecorded()
    {
        var breaker = Make();
        var permit = Enter(breaker);
        breaker.Apply(Options(o => o.Mode = CircuitMode.Disabled));
        breaker.Exit(permit, CallOutcome.Failed);
        breaker.Snapshot().Calls.ShouldBe(0);
    }

    [Fact]
    public void ForcedOpen_FromConstruction_RefusesWithoutEnd()
    {
        var breaker = Make(o => o.Mode = CircuitMode.ForcedOpen);
        _time.Advance(TimeSpan.FromDays(1));
        breaker.State.ShouldBe(CircuitState.Open);
        Refuse(breaker).RetryAfter.ShouldBeNull();
    }

    [Fact]
    public void ForcedOpen_EnteredAndLeft_OpensAndClosesByHand()
    {
        var breaker = Make();
        Call(breaker, CallOutcome.Failed, 2);
        var events = Record(breaker);
        breaker.Apply(Options(o => o.Mode = CircuitMode.ForcedOpen));
        breaker.State.ShouldBe(CircuitState.Open);
        breaker.ForceOpen(Second);
        breaker.Reset();
        _time.Advance(60 * Second);
        breaker.State.ShouldBe(CircuitState.Open);
        breaker.Apply(Options());
        breaker.Snapshot().Calls.ShouldBe(0);
        var opened = events.Next();
        var closed = events.Next();
        (opened.To, opened.Cause, closed.To, closed.Cause).ShouldBe((CircuitState.Open, CircuitTransitionCause.Manual, CircuitState.Closed, CircuitTransitionCause.Manual));
        events.ShouldHoldNothingMore();
    }

    [Fact]
    public void ForcedOpen_WhileOpen_TakesTheEndAwayWithoutEvent()
    {
        var breaker = MakeOpen();
        var events = Record(breaker);
        breaker.Apply(Options(o => o.Mode = CircuitMode.ForcedOpen));
        _time.Advance(60 * Second);
        breaker.State.ShouldBe(CircuitState.Open);
        breaker.Snapshot().RetryAfter.ShouldBeNull();
        events.ShouldHoldNothingMore();
    }

    [Fact]
    public void ForcedOpen_OverAnIsolation_LeavesItUntilReset()
    {
        var breaker = Make();
        breaker.Isolate();
        breaker.Apply(Options(o => o.Mode = CircuitMode.ForcedOpen));
        breaker.State.ShouldBe(CircuitState.Isolated);
        breaker.Apply(Options());
        breaker.State.ShouldBe(CircuitState.Isolated);
        breaker.Apply(Options(o => o.Mode = CircuitMode.ForcedOpen));
        breaker.Reset();
        breaker.State.ShouldBe(CircuitState.Open);
    }

    [Fact]
    public void Shadow_Open_AdmitsAndCountsNothing()
    {
        var breaker = MakeOpen(o => o.Mode = CircuitMode.Shadow);
        var permit = Enter(breaker);
        permit.IsProbe.ShouldBeFalse();
        breaker.Exit(permit, CallOutcome.Failed).ShouldBeNull();
        var snapshot = breaker.Snapshot();
        (snapshot.State, snapshot.Calls, snapshot.Refused, snapshot.RetryAfter).ShouldBe((CircuitState.Open, 0, 0L, 5 * Second));
        breaker.IsRefusing(_time.GetTimestamp(), out _).ShouldBeFalse();
    }

    [Fact]
    public void Shadow_HalfOpen_FirstCallsAreTheProbesAndOthersAreNotCounted()
    {
        var breaker = MakeHalfOpen(o => o.Mode = CircuitMode.Shadow);
        var probes = Enumerable.Range(0, 3).Select(_ => Enter(breaker)).ToList();
        var other = Enter(breaker);
        probes.ShouldAllBe(probe => probe.IsProbe);
        other.IsProbe.ShouldBeFalse();
        breaker.Exit(other, CallOutcome.Failed).ShouldBeNull();
        breaker.Snapshot().Calls.ShouldBe(0);
        breaker.Exit(probes[0], CallOutcome.Succeeded).ShouldBeNull();
        breaker.Exit(probes[1], CallOutcome.Succeeded)!.To.ShouldBe(CircuitState.Closed);
    }

    [Fact]
    public void Shadow_Isolated_StillAdmits()
    {
        var breaker = Make(o => o.Mode = CircuitMode.Shadow);
        breaker.Isolate();
        Enter(breaker);
        breaker.State.ShouldBe(CircuitState.Isolated);
    }
}
