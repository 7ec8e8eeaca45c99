namespace ResilientHost.Tests.Contract;

public sealed partial class CircuitBreakerContractTests
{
    [Fact]
    public async Task Transitioned_WholeLife_EveryEventIsWhatTheCallReturned()
    {
        var breaker = Make();
        var events = Listen(breaker);
        CircuitTransition? opened = null;
        for (var i = 0; i < 4; i++)
        {
            opened = Call(breaker, CallOutcome.Failed);
        }

        _time.Advance(5 * Second);
        Call(breaker, CallOutcome.Succeeded).ShouldBeNull();
        var closed = Call(breaker, CallOutcome.Succeeded).ShouldNotBeNull();

        var seen = await EventsSoFar(breaker, events);

        seen.Count.ShouldBe(3);
        seen[0].ShouldBe(opened);
        seen[1].ShouldBe(new CircuitTransition("db", CircuitState.Open, CircuitState.HalfOpen, CircuitTransitionCause.BreakElapsed, 3, _time.GetUtcNow()));
        seen[2].ShouldBe(closed);
        closed.ShouldBe(new CircuitTransition("db", CircuitState.HalfOpen, CircuitState.Closed, CircuitTransitionCause.ProbesSucceeded, 4, _time.GetUtcNow()));
    }

    [Fact]
    public async Task Transitioned_BlockedAndThrowingListeners_ReachNeitherCallersNorOtherListeners()
    {
        using var gate = new ManualResetEventSlim();
        var breaker = Make();
        breaker.Transitioned += _ => gate.Wait(Token);
        breaker.Transitioned += _ => throw new InvalidOperationException("listener");
        var events = Listen(breaker);
        Trip(breaker);
        _time.Advance(5 * Second);
        Call(breaker, CallOutcome.Succeeded);
        Call(breaker, CallOutcome.Succeeded);
        Trip(breaker);
        breaker.Reset();

        var seen = await EventsSoFar(breaker, events);
        gate.Set();

        seen.Select(e => e.To).ShouldBe([CircuitState.Open, CircuitState.HalfOpen, CircuitState.Closed, CircuitState.Open, CircuitState.Closed]);
        seen.Select(e => e.Era).ShouldBe([2L, 3, 4, 5, 6]);
    }

    [Fact]
    public async Task Transitioned_ListenerDrivesTheBreaker_NeitherDeadlocksNorReorders()
    {
        var breaker = Make();
        var events = Listen(breaker);
        var reset = new TaskCompletionSource();
        breaker.Transitioned += transition =>
        {
            if (transition.To == CircuitState.Open)
            {
                breaker.Snapshot().Era.ShouldBe(transition.Era);
                breaker.Reset();
                reset.SetResult();
            }
        };
        Trip(breaker);
        await reset.Task.WaitAsync(Token);

        breaker.State.ShouldBe(CircuitState.Closed);
        (await EventsSoFar(breaker, events)).Select(e => e.To).ShouldBe([CircuitState.Open, CircuitState.Closed]);
    }

    [Fact]
    public void Values_WithEqualMembers_AreEqual()
    {
        new Refusal(RefusalReason.CircuitOpen, "db", Second).ShouldBe(new Refusal(RefusalReason.CircuitOpen, "db", Second));
        new Refusal(RefusalReason.CircuitOpen, "db", Second).ShouldNotBe(new Refusal(RefusalReason.CircuitOpen, "db", null));
        default(Refusal).Source.ShouldBeNull();
        default(CircuitPermit).Era.ShouldBe(0);
        default(CircuitPermit).IsProbe.ShouldBeFalse();
        Make().Snapshot().ShouldBe(Make().Snapshot());
    }

    [Theory]
    [InlineData(CircuitState.Closed)]
    [InlineData(CircuitState.Open)]
    [InlineData(CircuitState.HalfOpen)]
    [InlineData(CircuitState.Isolated)]
    public void Exit_DefaultPermit_ChangesNothingInAnyState(CircuitState state)
    {
        var breaker = MakeIn(state);
        var before = breaker.Snapshot();
        foreach (var outcome in Enum.GetValues<CallOutcome>())
        {
            breaker.Exit(default, outcome).ShouldBeNull();
        }

        breaker.Snapshot().ShouldBe(before);
    }

    [Fact]
    public void Race_CallsOfEveryOutcomeManualMovesAndTime_LeakNoProbesPlace()
    {
        var breaker = Make(o => (o.HalfOpenMaxDuration, o.BreakDuration) = (TimeSpan.FromDays(1), TimeSpan.FromMilliseconds(1)));
        OnThreads(8, i =>
        {
            for (var n = 0; n < 3_000; n++)
            {
                if (i == 0 && n % 50 == 0)
                {
                    breaker.ForceOpen(TimeSpan.FromMilliseconds(1));
                }
                else if (i == 1)
                {
                    _time.Advance(TimeSpan.FromMicroseconds(100));
                }
                else if (breaker.TryEnter(out var permit, out var refusal))
                {
                    breaker.Exit(permit, (CallOutcome)((n + i) % 3));
                    breaker.Exit(permit, CallOutcome.Ignored);
                }
                else
                {
                    (refusal.RetryAfter ?? TimeSpan.Zero).ShouldBeGreaterThanOrEqualTo(TimeSpan.Zero);
                }
            }
        });
        _time.Advance(TimeSpan.FromHours(1));
        if (breaker.State == CircuitState.HalfOpen)
        {
            var left = 3 - breaker.Snapshot().Calls;
            for (var i = 0; i < left; i++)
            {
                Enter(breaker).IsProbe.ShouldBeTrue();
            }

            Refuse(breaker).RetryAfter.ShouldBeNull();
        }
        else
        {
            breaker.State.ShouldBe(CircuitState.Closed);
        }
    }
}
