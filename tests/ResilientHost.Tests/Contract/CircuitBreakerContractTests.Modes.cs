using Microsoft.Extensions.Options;

namespace ResilientHost.Tests.Contract;

public sealed partial class CircuitBreakerContractTests
{
    [Fact]
    public void Shadow_WholeLife_TellsWhatEnforceWouldDoAndAdmitsAll()
    {
        var breaker = MakeOpen(o => o.Mode = CircuitMode.Shadow);
        for (var i = 0; i < 5; i++)
        {
            Enter(breaker).IsProbe.ShouldBeFalse();
        }

        _time.Advance(5 * Second);
        breaker.State.ShouldBe(CircuitState.HalfOpen);
        var permits = Enumerable.Range(0, 6).Select(_ => Enter(breaker)).ToArray();
        permits.Select(permit => permit.IsProbe).ShouldBe([true, true, true, false, false, false]);
        foreach (var other in permits[3..])
        {
            breaker.Exit(other, CallOutcome.Failed).ShouldBeNull();
        }

        breaker.Snapshot().Calls.ShouldBe(0);
        breaker.Exit(permits[0], CallOutcome.Succeeded).ShouldBeNull();
        breaker.Exit(permits[1], CallOutcome.Succeeded).ShouldNotBeNull().To.ShouldBe(CircuitState.Closed);
        (breaker.Snapshot().Refused, breaker.Snapshot().Mode).ShouldBe((0L, CircuitMode.Shadow));
    }

    [Theory]
    [InlineData(CircuitState.Open)]
    [InlineData(CircuitState.Isolated)]
    public void Shadow_ResultOfACallAdmittedNonetheless_MovesNothing(CircuitState state)
    {
        var breaker = MakeIn(state, o => o.Mode = CircuitMode.Shadow);
        var before = breaker.Snapshot();

        for (var i = 0; i < 30; i++)
        {
            Call(breaker, i % 2 == 0 ? CallOutcome.Succeeded : CallOutcome.Failed).ShouldBeNull();
        }

        breaker.Snapshot().ShouldBe(before);
    }

    [Fact]
    public void Shadow_CallOfTheOpenStateEndsWhileHalfOpen_IsNoProbe()
    {
        var breaker = MakeOpen(o => (o.Mode, o.HalfOpenProbes) = (CircuitMode.Shadow, 1));
        var permit = Enter(breaker);
        _time.Advance(5 * Second);

        breaker.Exit(permit, CallOutcome.Succeeded).ShouldBeNull();

        breaker.State.ShouldBe(CircuitState.HalfOpen);
    }

    [Fact]
    public void Shadow_LostProbe_ReopensToo()
    {
        var breaker = MakeHalfOpen(o => o.Mode = CircuitMode.Shadow);
        Enter(breaker);
        _time.Advance(10 * Second);

        breaker.State.ShouldBe(CircuitState.Open);
        Enter(breaker);
    }

    [Fact]
    public void ForcedOpen_TimePasses_RefusesWithoutRetryAfter()
    {
        var breaker = Make(o => o.Mode = CircuitMode.ForcedOpen);
        _time.Advance(TimeSpan.FromDays(1));

        Refuse(breaker).ShouldBe(new Refusal(RefusalReason.CircuitOpen, "db", null));
        breaker.Snapshot().ShouldSatisfyAllConditions(
            snapshot => snapshot.State.ShouldBe(CircuitState.Open),
            snapshot => snapshot.RetryAfter.ShouldBeNull(),
            snapshot => snapshot.Refused.ShouldBe(1),
            snapshot => snapshot.Mode.ShouldBe(CircuitMode.ForcedOpen));
    }

    [Theory]
    [InlineData(CircuitState.Closed)]
    [InlineData(CircuitState.Open)]
    [InlineData(CircuitState.HalfOpen)]
    public void ForcedOpen_AppliedWithACallInFlight_ItsResultMovesNothing(CircuitState from)
    {
        var breaker = MakeIn(from);
        var permit = from == CircuitState.Open ? default : Enter(breaker);
        breaker.Apply(Options(o => o.Mode = CircuitMode.ForcedOpen));
        _time.Advance(TimeSpan.FromHours(1));

        for (var i = 0; i < 10; i++)
        {
            breaker.Exit(permit, CallOutcome.Succeeded).ShouldBeNull();
        }

        breaker.State.ShouldBe(CircuitState.Open);
        Refuse(breaker).RetryAfter.ShouldBeNull();
    }

    [Fact]
    public void Disabled_AnyState_AdmitsAndRefusesNothing()
    {
        foreach (var state in Enum.GetValues<CircuitState>())
        {
            var breaker = MakeIn(state);
            breaker.Apply(Options(o => o.Mode = CircuitMode.Disabled));
            var refused = breaker.Snapshot().Refused;
            for (var i = 0; i < 30; i++)
            {
                Call(breaker, CallOutcome.Failed).ShouldBeNull();
            }

            breaker.Snapshot().Refused.ShouldBe(refused);
        }
    }

    [Theory]
    [InlineData(CircuitState.Closed)]
    [InlineData(CircuitState.Open)]
    [InlineData(CircuitState.HalfOpen)]
    [InlineData(CircuitState.Isolated)]
    public async Task Apply_SameOptions_LeavesEverythingUntouched(CircuitState state)
    {
        var breaker = MakeIn(state);
        if (state == CircuitState.Closed)
        {
            Call(breaker, CallOutcome.Failed);
        }

        var events = Listen(breaker);
        var before = breaker.Snapshot();
        breaker.Apply(Options());

        breaker.Snapshot().ShouldBe(before);
        if (state != CircuitState.Isolated)
        {
            (await EventsSoFar(breaker, events)).ShouldBeEmpty();
        }
    }

    [Fact]
    public void Apply_ClosedWithCallsInFlight_TheirResultsCountUnderTheNewThresholds()
    {
        var breaker = Make();
        var permits = Enumerable.Range(0, 3).Select(_ => Enter(breaker)).ToArray();
        breaker.Apply(Options(o => (o.MinimumThroughput, o.FailureRatio) = (3, 1.0)));

        breaker.Exit(permits[0], CallOutcome.Failed).ShouldBeNull();
        breaker.Exit(permits[1], CallOutcome.Failed).ShouldBeNull();
        breaker.Exit(permits[2], CallOutcome.Failed).ShouldNotBeNull().To.ShouldBe(CircuitState.Open);
    }

    [Fact]
    public void Apply_HalfOpenWithAProbeInFlight_TheProbeStillDecides()
    {
        var breaker = MakeHalfOpen(o => o.HalfOpenProbes = 1);
        var probe = Enter(breaker);
        breaker.Apply(Options(o => (o.HalfOpenProbes, o.BreakDuration) = (1, 7 * Second)));

        breaker.Exit(probe, CallOutcome.Failed).ShouldNotBeNull().Cause.ShouldBe(CircuitTransitionCause.ProbesFailed);
        breaker.Snapshot().RetryAfter.ShouldBe(14 * Second);
    }

    [Fact]
    public void Apply_OpenWithShorterBreakAndCap_KeepsOpenUntil()
    {
        var breaker = MakeOpen();
        breaker.Apply(Options(o => (o.BreakDuration, o.MaxBreakDuration) = (Second, Second)));

        breaker.Snapshot().RetryAfter.ShouldBe(5 * Second);
        _time.Advance((5 * Second) - Tick);
        breaker.State.ShouldBe(CircuitState.Open);
    }

    [Fact]
    public void Apply_ShadowThenEnforceWhileOpen_RefusesFromThenOn()
    {
        var breaker = MakeOpen(o => o.Mode = CircuitMode.Shadow);
        Enter(breaker);
        breaker.Apply(Options());

        Refuse(breaker).RetryAfter.ShouldBe(5 * Second);
    }

    [Fact]
    public void Apply_WindowFromTimeToCountAndBack_CountsOnlyWhatTheNewOneSaw()
    {
        var breaker = Make(o => o.MinimumThroughput = 100);
        Call(breaker, CallOutcome.Failed);
        breaker.Apply(Options(o => (o.MinimumThroughput, o.WindowSize) = (2, 2)));
        Call(breaker, CallOutcome.Succeeded).ShouldBeNull();
        Call(breaker, CallOutcome.Succeeded).ShouldBeNull();

        breaker.State.ShouldBe(CircuitState.Closed);
        breaker.Snapshot().Calls.ShouldBe(2);
        breaker.Apply(Options());
        breaker.State.ShouldBe(CircuitState.Closed);
    }

    [Theory]
    [InlineData(CircuitState.Closed)]
    [InlineData(CircuitState.Open)]
    [InlineData(CircuitState.HalfOpen)]
    [InlineData(CircuitState.Isolated)]
    public void Apply_Invalid_ChangesNothingInAnyState(CircuitState state)
    {
        var breaker = MakeIn(state);
        var before = breaker.Snapshot();

        Should.Throw<OptionsValidationException>(() => breaker.Apply(new CircuitBreakerOptions { Mode = (CircuitMode)99, BreakDuration = -Second }));

        breaker.Snapshot().ShouldBe(before);
    }

    [Fact]
    public async Task Apply_WhileManyThreadsCall_NeverBreaksTheChainOfEvents()
    {
        var breaker = Make(o => (o.BreakDuration, o.HalfOpenMaxDuration) = (TimeSpan.FromMilliseconds(1), TimeSpan.FromMilliseconds(1)));
        var events = Listen(breaker);
        OnThreads(8, i =>
        {
            for (var n = 0; n < 60; n++)
            {
                if (i == 0)
                {
                    breaker.Apply(Options(o =>
                    {
                        (o.Mode, o.WindowSize, o.HalfOpenProbes) = ((CircuitMode)(n % 4), n % 3, 1 + (n % 5));
                        (o.BreakDuration, o.HalfOpenMaxDuration) = (TimeSpan.FromMilliseconds(1), TimeSpan.FromMilliseconds(1));
                    }));
                }
                else if (i == 1)
                {
                    _time.Advance(TimeSpan.FromMicroseconds(300));
                }
                else if (breaker.TryEnter(out var permit, out Refusal _))
                {
                    breaker.Exit(permit, (CallOutcome)(n % 3));
                }
            }
        });
        breaker.Apply(Options());
        breaker.Reset();

        var seen = await EventsSoFarWithIsolations(breaker, events);

        var (state, era) = (CircuitState.Closed, 1L);
        foreach (var transition in seen)
        {
            (transition.From, transition.Era).ShouldBe((state, ++era));
            state = transition.To;
        }
    }
}
