namespace ResilientHost.Tests.CircuitBreaking;

public sealed partial class CircuitBreakerTests
{
    [Fact]
    public void Isolate_UntilReset_RefusesWithoutRetryAfter()
    {
        var breaker = Make();
        breaker.Isolate();
        _time.Advance(TimeSpan.FromDays(1));
        breaker.State.ShouldBe(CircuitState.Isolated);
        Refuse(breaker).RetryAfter.ShouldBeNull();
        breaker.Snapshot().RetryAfter.ShouldBeNull();
        breaker.Reset();
        breaker.State.ShouldBe(CircuitState.Closed);
    }

    [Fact]
    public void ForceOpen_WhileIsolated_ChangesNothing()
    {
        var breaker = Make();
        breaker.Isolate();
        var events = Record(breaker);
        breaker.ForceOpen(Second);
        breaker.Isolate();
        _time.Advance(2 * Second);
        breaker.State.ShouldBe(CircuitState.Isolated);
        events.ShouldHoldNothingMore();
    }

    [Fact]
    public void Isolate_WhileOpen_TheBreakDoesNotUndoIt()
    {
        var breaker = MakeOpen();
        breaker.Isolate();
        _time.Advance(60 * Second);
        breaker.State.ShouldBe(CircuitState.Isolated);
    }

    [Fact]
    public void Exit_ResultAfterIsolation_MovesNothing()
    {
        var breaker = MakeHalfOpen(o => o.HalfOpenProbes = 1);
        var probe = Enter(breaker);
        breaker.Isolate();
        breaker.Exit(probe, CallOutcome.Succeeded).ShouldBeNull();
        breaker.State.ShouldBe(CircuitState.Isolated);
    }

    [Fact]
    public void ForceOpen_WithoutDuration_HoldsExactlyBreakDuration()
    {
        var breaker = MakeWithRandom(0.99, o => o.BreakJitter = 0.9);
        breaker.ForceOpen();
        breaker.Snapshot().RetryAfter.ShouldBe(5 * Second);
        _time.Advance(5 * Second);
        breaker.State.ShouldBe(CircuitState.HalfOpen);
    }

    [Fact]
    public void ForceOpen_ExplicitDuration_IsNotCapped()
    {
        var breaker = Make();
        breaker.ForceOpen(TimeSpan.FromDays(3));
        breaker.Snapshot().RetryAfter.ShouldBe(TimeSpan.FromDays(3));
        breaker.ForceOpen(TimeSpan.MaxValue);
        breaker.State.ShouldBe(CircuitState.Open);
    }

    [Fact]
    public void ForceOpen_WhileOpen_OnlyMovesTheEnd()
    {
        var breaker = MakeOpen();
        var events = Record(breaker);
        breaker.ForceOpen(60 * Second);
        _time.Advance(10 * Second);
        breaker.State.ShouldBe(CircuitState.Open);
        breaker.ForceOpen(Second);
        breaker.Snapshot().RetryAfter.ShouldBe(Second);
        breaker.Snapshot().Era.ShouldBe(2);
        events.ShouldHoldNothingMore();
    }

    [Fact]
    public void ForceOpen_FromHalfOpen_CountsForTheBackoff()
    {
        var breaker = MakeHalfOpen(o => o.HalfOpenProbes = 1);
        breaker.ForceOpen(Second);
        _time.Advance(Second);
        Call(breaker, CallOutcome.Failed);
        breaker.Snapshot().RetryAfter.ShouldBe(20 * Second);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    public void ForceOpen_NotPositive_Throws(int seconds) =>
        Should.Throw<ArgumentOutOfRangeException>(() => Make().ForceOpen(seconds * Second));

    [Fact]
    public void Reset_WhileClosed_EmptiesTheWindowWithoutEvent()
    {
        var breaker = Make(o => o.ConsecutiveFailures = 5);
        var events = Record(breaker);
        Call(breaker, CallOutcome.Failed, 3);
        breaker.Reset();
        breaker.Snapshot().Calls.ShouldBe(0);
        Call(breaker, CallOutcome.Failed, 3);
        breaker.State.ShouldBe(CircuitState.Closed);
        events.ShouldHoldNothingMore();
    }

    [Fact]
    public void Reset_AfterReopens_ClearsTheBackoff()
    {
        var breaker = MakeHalfOpen(o => o.HalfOpenProbes = 1);
        Call(breaker, CallOutcome.Failed);
        breaker.Reset();
        Trip(breaker);
        breaker.Snapshot().RetryAfter.ShouldBe(5 * Second);
    }

    [Fact]
    public void Reset_FromEveryState_EndsClosed()
    {
        foreach (var prepare in new Func<CircuitBreaker>[] { () => Make(), () => MakeOpen(), () => MakeHalfOpen() })
        {
            var breaker = prepare();
            breaker.Reset();
            breaker.State.ShouldBe(CircuitState.Closed);
            Enter(breaker).IsProbe.ShouldBeFalse();
        }
    }
}
