namespace ResilientHost.Tests.Contract;

public sealed partial class CircuitBreakerContractTests
{
    [Fact]
    public void TryEnter_Open_TellsReasonSourceAndRemainingBreak()
    {
        var breaker = MakeOpen();
        _time.Advance(2 * Second);

        Refuse(breaker).ShouldBe(new Refusal(RefusalReason.CircuitOpen, "db", 3 * Second));
    }

    [Fact]
    public void State_OneTickBeforeTheEndAndAtTheEnd_IsOpenThenHalfOpen()
    {
        var breaker = MakeOpen();
        _time.Advance((5 * Second) - Tick);
        breaker.State.ShouldBe(CircuitState.Open);
        Refuse(breaker).RetryAfter.ShouldBe(Tick);
        _time.Advance(Tick);

        breaker.State.ShouldBe(CircuitState.HalfOpen);
        Enter(breaker).IsProbe.ShouldBeTrue();
    }

    [Fact]
    public void TryEnter_BreakElapsedWithoutAnyRead_AdmitsAProbe()
    {
        var breaker = MakeOpen();
        _time.Advance(TimeSpan.FromDays(365));

        Enter(breaker).IsProbe.ShouldBeTrue();
    }

    [Fact]
    public void Snapshot_RetryAfter_OnlyInABreakWithAnEnd()
    {
        var breaker = Make();
        breaker.Snapshot().RetryAfter.ShouldBeNull();
        Trip(breaker);
        breaker.Snapshot().RetryAfter.ShouldBe(5 * Second);
        _time.Advance(5 * Second);
        breaker.Snapshot().RetryAfter.ShouldBeNull();
        breaker.Isolate();
        breaker.Snapshot().RetryAfter.ShouldBeNull();
    }

    [Fact]
    public void Snapshot_Refused_CountsCallsOnlyAndSinceConstruction()
    {
        var breaker = MakeOpen();
        Refuse(breaker);
        _ = breaker.State;
        breaker.Reset();
        breaker.Isolate();
        Refuse(breaker);
        breaker.Apply(Options(o => o.FailureRatio = 0.9));

        breaker.Snapshot().Refused.ShouldBe(2);
    }

    [Theory]
    [InlineData(CallOutcome.Succeeded)]
    [InlineData(CallOutcome.Failed)]
    [InlineData(CallOutcome.Ignored)]
    public async Task Exit_LateResultWhileOpen_ChangesNothing(CallOutcome late)
    {
        var breaker = Make();
        var permit = Enter(breaker);
        Trip(breaker);
        var events = Listen(breaker);
        _time.Advance(Second);
        var before = breaker.Snapshot();

        breaker.Exit(permit, late, TimeSpan.FromMinutes(1)).ShouldBeNull();

        (breaker.Snapshot() with { LateResults = 0 }).ShouldBe(before);
        (await EventsSoFar(breaker, events)).ShouldBeEmpty();
    }

    [Fact]
    public void Reopen_Backoff_DoublesUpToTheCapAndHoldsThere()
    {
        var breaker = MakeOpen(o => o.MaxBreakDuration = 18 * Second);
        var breaks = new List<TimeSpan>();
        for (var i = 0; i < 5; i++)
        {
            var remaining = breaker.Snapshot().RetryAfter!.Value;
            breaks.Add(remaining);
            _time.Advance(remaining);
            for (var probe = 0; probe < 2; probe++)
            {
                Call(breaker, CallOutcome.Failed);
            }
        }

        breaks.ShouldBe([5 * Second, 10 * Second, 18 * Second, 18 * Second, 18 * Second]);
    }

    [Fact]
    public void Open_Jitter_StaysWithinItsShareAndSpreads()
    {
        var breaks = Enumerable.Range(0, 300).Select(_ => MakeOpen(o => o.BreakJitter = 0.4).Snapshot().RetryAfter!.Value.TotalSeconds).ToArray();

        breaks.ShouldAllBe(seconds => seconds >= 3 && seconds <= 7);
        breaks.Min().ShouldBeLessThan(4);
        breaks.Max().ShouldBeGreaterThan(6);
        breaks.Average().ShouldBe(5, 0.5);
    }

    [Fact]
    public void Open_JitterAroundTheCap_IsCappedAfterwards()
    {
        var breaks = Enumerable.Range(0, 200)
            .Select(_ => MakeOpen(o => (o.BreakJitter, o.MaxBreakDuration) = (0.4, 5 * Second)).Snapshot().RetryAfter!.Value)
            .ToArray();

        breaks.ShouldAllBe(time => time <= 5 * Second);
        breaks.ShouldContain(time => time == 5 * Second);
        breaks.ShouldContain(time => time < 4 * Second);
    }

    [Theory]
    [InlineData(-10, 5)]
    [InlineData(0, 5)]
    [InlineData(3, 5)]
    [InlineData(30, 30)]
    [InlineData(121, 120)]
    [InlineData(922_337_203_685L, 120)]
    public void Exit_UpstreamsRetryAfterOnTheTrip_OnlyLengthensWithinTheCap(long asked, int expected)
    {
        var breaker = Make();
        for (var i = 0; i < 3; i++)
        {
            Call(breaker, CallOutcome.Failed);
        }

        breaker.Exit(Enter(breaker), CallOutcome.Failed, TimeSpan.FromSeconds(asked)).ShouldNotBeNull();

        breaker.Snapshot().RetryAfter.ShouldBe(expected * Second);
    }

    [Fact]
    public void Exit_UpstreamsRetryAfterOfAFailedProbe_LengthensTheReopenedBreak()
    {
        var breaker = MakeHalfOpen(o => o.HalfOpenProbes = 1);

        breaker.Exit(Enter(breaker), CallOutcome.Failed, 60 * Second).ShouldNotBeNull();

        breaker.Snapshot().RetryAfter.ShouldBe(60 * Second);
    }

    [Fact]
    public async Task State_ReadByManyThreadsWhenTheBreakElapses_PublishesOnceWithItsDueTime()
    {
        for (var round = 0; round < 50; round++)
        {
            var breaker = MakeOpen();
            var events = Listen(breaker);
            var due = _time.GetUtcNow() + (5 * Second);
            _time.Advance(8 * Second);

            OnThreads(8, i => (i % 2 == 0 ? breaker.State : breaker.Snapshot().State).ShouldBe(CircuitState.HalfOpen));

            (await EventsSoFar(breaker, events)).ShouldBe(
                [new CircuitTransition("db", CircuitState.Open, CircuitState.HalfOpen, CircuitTransitionCause.BreakElapsed, 3, due)]);
        }
    }
}
