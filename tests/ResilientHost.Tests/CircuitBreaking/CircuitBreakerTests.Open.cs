namespace ResilientHost.Tests.CircuitBreaking;

public sealed partial class CircuitBreakerTests
{
    [Fact]
    public void TryEnter_Open_RefusesWithRemainingBreak()
    {
        var breaker = MakeOpen();
        _time.Advance(2 * Second);
        Refuse(breaker).ShouldBe(new Refusal(RefusalReason.CircuitOpen, "db", 3 * Second));
        breaker.Snapshot().Refused.ShouldBe(1);
    }

    [Fact]
    public void State_BreakElapsesWithoutCalls_IsHalfOpen()
    {
        var breaker = MakeOpen();
        _time.Advance(5 * Second - Tick);
        breaker.State.ShouldBe(CircuitState.Open);
        breaker.Snapshot().RetryAfter.ShouldBe(Tick);
        _time.Advance(Tick);
        breaker.State.ShouldBe(CircuitState.HalfOpen);
        breaker.Snapshot().RetryAfter.ShouldBeNull();
    }

    [Fact]
    public void Snapshot_Open_HoldsNoCounts()
    {
        var snapshot = MakeOpen().Snapshot();
        (snapshot.Calls, snapshot.Failures, snapshot.FailureRatio, snapshot.Era, snapshot.Since)
            .ShouldBe((0, 0, 0.0, 2L, _time.GetUtcNow()));
    }

    [Fact]
    public void Exit_LateResultOfClosedEra_NeitherExtendsNorPublishes()
    {
        var breaker = Make();
        var late = Enter(breaker);
        Trip(breaker);
        _time.Advance(3 * Second);
        breaker.Exit(late, CallOutcome.Failed, 60 * Second).ShouldBeNull();
        breaker.Snapshot().RetryAfter.ShouldBe(2 * Second);
    }

    [Fact]
    public void Exit_LateResultWhenBreakHasElapsed_PublishesNothing()
    {
        var breaker = Make();
        var late = Enter(breaker);
        Trip(breaker);
        _time.Advance(6 * Second);
        breaker.Exit(late, CallOutcome.Succeeded).ShouldBeNull();
        var events = Record(breaker);
        breaker.State.ShouldBe(CircuitState.HalfOpen);
        events.Next().Cause.ShouldBe(CircuitTransitionCause.BreakElapsed, "the first observation is this read, not the late result");
    }

    [Theory]
    [InlineData(0.0, 0.1, 4.5)]
    [InlineData(0.5, 0.1, 5.0)]
    [InlineData(0.75, 0.5, 6.25)]
    public void Open_Jitter_IsUniformAroundTheBreak(double uniform, double jitter, double seconds)
    {
        var breaker = MakeWithRandom(uniform, o => o.BreakJitter = jitter);
        Trip(breaker);
        breaker.Snapshot().RetryAfter.ShouldBe(TimeSpan.FromSeconds(seconds));
    }

    [Fact]
    public void Open_JitterBeyondTheCap_IsCapped()
    {
        var breaker = MakeWithRandom(0.999, o => (o.BreakJitter, o.MaxBreakDuration) = (0.5, 6 * Second));
        Trip(breaker);
        breaker.Snapshot().RetryAfter.ShouldBe(6 * Second);
    }

    [Theory]
    [InlineData(3, 5)]
    [InlineData(60, 60)]
    [InlineData(600, 120)]
    [InlineData(-1, 5)]
    public void Exit_TripsWithRetryAfter_LengthensTheBreakWithinTheCap(int asked, int expected)
    {
        var breaker = Make();
        Call(breaker, CallOutcome.Failed, 3);
        breaker.Exit(Enter(breaker), CallOutcome.Failed, asked * Second)!.To.ShouldBe(CircuitState.Open);
        breaker.Snapshot().RetryAfter.ShouldBe(expected * Second);
    }

    [Fact]
    public void Reopen_EveryTime_GrowsTheBreakUpToTheCap()
    {
        var breaker = MakeOpen(o => (o.HalfOpenProbes, o.MaxBreakDuration) = (1, 30 * Second));
        foreach (var seconds in new[] { 5, 10, 20, 30, 30 })
        {
            breaker.Snapshot().RetryAfter.ShouldBe(seconds * Second);
            _time.Advance(seconds * Second);
            Call(breaker, CallOutcome.Failed)!.Cause.ShouldBe(CircuitTransitionCause.ProbesFailed);
        }
    }

    [Fact]
    public void Reopen_ThousandTimesWithHugeBackoff_NeverOverflows()
    {
        var breaker = MakeOpen(o => (o.HalfOpenProbes, o.BreakBackoff, o.BreakJitter) = (1, 100, 0.99));
        for (var i = 0; i < 1000; i++)
        {
            _time.Advance(TimeSpan.FromMinutes(2));
            Call(breaker, CallOutcome.Failed);
            breaker.Snapshot().RetryAfter!.Value.ShouldBeInRange(Tick, TimeSpan.FromMinutes(2));
        }
    }

    [Fact]
    public void Close_AfterReopens_ClearsTheBackoff()
    {
        var breaker = MakeOpen(o => o.HalfOpenProbes = 1);
        _time.Advance(5 * Second);
        Call(breaker, CallOutcome.Failed);
        _time.Advance(10 * Second);
        Call(breaker, CallOutcome.Succeeded)!.Cause.ShouldBe(CircuitTransitionCause.ProbesSucceeded);
        Trip(breaker);
        breaker.Snapshot().RetryAfter.ShouldBe(5 * Second);
    }

    [Fact]
    public void IsRefusing_Open_TellsWithoutCounting()
    {
        var breaker = MakeOpen();
        breaker.IsRefusing(_time.GetTimestamp(), out var refusal).ShouldBeTrue();
        refusal.RetryAfter.ShouldBe(5 * Second);
        breaker.Snapshot().Refused.ShouldBe(0);
        breaker.CountRefusal();
        breaker.Snapshot().Refused.ShouldBe(1);
        _time.Advance(5 * Second);
        breaker.IsRefusing(_time.GetTimestamp(), out _).ShouldBeFalse();
    }
}
