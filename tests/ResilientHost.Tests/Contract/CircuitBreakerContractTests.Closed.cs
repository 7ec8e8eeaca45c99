using Microsoft.Extensions.Options;

namespace ResilientHost.Tests.Contract;

public sealed partial class CircuitBreakerContractTests
{
    [Fact]
    public void Options_Defaults_AreTheContractsValues()
    {
        var options = new CircuitBreakerOptions();

        options.Mode.ShouldBe(CircuitMode.Enforce);
        options.FailureRatio.ShouldBe(0.5);
        options.MinimumThroughput.ShouldBe(20);
        options.SamplingDuration.ShouldBe(30 * Second);
        options.WindowSize.ShouldBe(0);
        options.ConsecutiveFailures.ShouldBe(0);
        options.SlowCallDuration.ShouldBeNull();
        options.SlowCallRatio.ShouldBe(1.0);
        options.BreakDuration.ShouldBe(5 * Second);
        options.MaxBreakDuration.ShouldBe(120 * Second);
        options.BreakBackoff.ShouldBe(2.0);
        options.BreakJitter.ShouldBe(0.1);
        options.HalfOpenProbes.ShouldBe(3);
        options.HalfOpenMaxDuration.ShouldBe(10 * Second);
        options.MaxPartitions.ShouldBe(10_000);
    }

    [Fact]
    public void Exit_DefaultOptions_TripOnTheTwentiethCallWithTheTenthFailure()
    {
        var breaker = new CircuitBreaker("db", new CircuitBreakerOptions(), _time);
        for (var i = 0; i < 19; i++)
        {
            Call(breaker, i % 2 == 0 ? CallOutcome.Failed : CallOutcome.Succeeded).ShouldBeNull();
        }

        var transition = Call(breaker, CallOutcome.Succeeded).ShouldNotBeNull();

        transition.ShouldBe(new CircuitTransition("db", CircuitState.Closed, CircuitState.Open, CircuitTransitionCause.FailureRatio, 2, _time.GetUtcNow()));
    }

    [Fact]
    public void Constructor_SeveralErrors_ReportsAllOfThem()
    {
        var error = Should.Throw<OptionsValidationException>(() => new CircuitBreaker("db", new CircuitBreakerOptions
        {
            FailureRatio = 0,
            MinimumThroughput = 0,
            HalfOpenProbes = 0,
            BreakJitter = 1,
        }));

        foreach (var property in new[] { "FailureRatio", "MinimumThroughput", "HalfOpenProbes", "BreakJitter" })
        {
            error.Failures.ShouldContain(failure => failure.Contains(property, StringComparison.Ordinal));
        }
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(0.0)]
    [InlineData(-0.5)]
    [InlineData(1.0000001)]
    public void Constructor_RatioThatIsNone_Throws(double ratio)
    {
        Should.Throw<OptionsValidationException>(() => Make(o => o.FailureRatio = ratio));
        Should.Throw<OptionsValidationException>(() => Make(o => o.SlowCallRatio = ratio));
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(0.99)]
    public void Constructor_BackoffThatIsNone_Throws(double backoff) =>
        Should.Throw<OptionsValidationException>(() => Make(o => o.BreakBackoff = backoff));

    [Fact]
    public void Snapshot_WithoutCalls_HasZeroRatiosAndNoRetryAfter()
    {
        var snapshot = Make().Snapshot();

        snapshot.ShouldBe(new CircuitSnapshot { State = CircuitState.Closed, Mode = CircuitMode.Enforce, Era = 1, Since = _time.GetUtcNow() });
        snapshot.FailureRatio.ShouldBe(0);
        snapshot.SlowCallRatio.ShouldBe(0);
        snapshot.RetryAfter.ShouldBeNull();
    }

    [Fact]
    public void Snapshot_Closed_CountsCallsFailuresAndSlowCallsButNoIgnoredOnes()
    {
        var breaker = Make(o => (o.MinimumThroughput, o.SlowCallDuration) = (100, Second));
        SlowCall(breaker, Second, CallOutcome.Succeeded);
        SlowCall(breaker, Second, CallOutcome.Failed);
        Call(breaker, CallOutcome.Failed);
        Call(breaker, CallOutcome.Succeeded);
        SlowCall(breaker, Second, CallOutcome.Ignored);

        var snapshot = breaker.Snapshot();

        (snapshot.Calls, snapshot.Failures, snapshot.SlowCalls).ShouldBe((4, 2, 2));
        snapshot.FailureRatio.ShouldBe(0.5);
        snapshot.SlowCallRatio.ShouldBe(0.5);
    }

    [Fact]
    public void Snapshot_SamplingDurationAfterTheCall_IsEmptyByReadingAlone()
    {
        var breaker = Make(o => o.MinimumThroughput = 100);
        Call(breaker, CallOutcome.Failed);

        _time.Advance(8 * Second);
        breaker.Snapshot().Calls.ShouldBe(1);
        _time.Advance(2 * Second);
        breaker.Snapshot().Calls.ShouldBe(0);
    }

    [Fact]
    public void Exit_FailuresOlderThanTheWindow_DoNotTrip()
    {
        var breaker = Make();
        Call(breaker, CallOutcome.Failed);
        Call(breaker, CallOutcome.Failed);
        Call(breaker, CallOutcome.Failed);
        _time.Advance(10 * Second);

        Call(breaker, CallOutcome.Failed).ShouldBeNull();
        breaker.Snapshot().Calls.ShouldBe(1);
    }

    [Fact]
    public void Exit_CountWindow_JudgesExactlyTheLastN()
    {
        var breaker = Make(o => (o.WindowSize, o.MinimumThroughput) = (4, 4));
        foreach (var outcome in new[] { CallOutcome.Failed, CallOutcome.Succeeded, CallOutcome.Succeeded, CallOutcome.Succeeded, CallOutcome.Failed })
        {
            Call(breaker, outcome).ShouldBeNull();
        }

        (breaker.Snapshot().Calls, breaker.Snapshot().Failures).ShouldBe((4, 1));
        Call(breaker, CallOutcome.Failed).ShouldNotBeNull().Cause.ShouldBe(CircuitTransitionCause.FailureRatio);
    }

    [Fact]
    public void Exit_CountWindow_DoesNotExpireWithTime()
    {
        var breaker = Make(o => o.WindowSize = 10);
        Call(breaker, CallOutcome.Failed);
        _time.Advance(TimeSpan.FromDays(30));

        breaker.Snapshot().Calls.ShouldBe(1);
    }

    [Fact]
    public void Exit_RatioOfOne_TripsOnlyWhenEveryCallFailed()
    {
        var breaker = Make(o => o.FailureRatio = 1.0);
        Call(breaker, CallOutcome.Succeeded);
        for (var i = 0; i < 50; i++)
        {
            Call(breaker, CallOutcome.Failed).ShouldBeNull();
        }

        MakeOpen(o => o.FailureRatio = 1.0).State.ShouldBe(CircuitState.Open);
    }

    [Fact]
    public void Exit_SlowCallsBelowMinimumThroughput_StayClosed()
    {
        var breaker = Make(o => (o.SlowCallDuration, o.SlowCallRatio) = (TimeSpan.FromMilliseconds(100), 0.5));
        for (var i = 0; i < 3; i++)
        {
            SlowCall(breaker, TimeSpan.FromMilliseconds(100), CallOutcome.Succeeded).ShouldBeNull();
        }

        SlowCall(breaker, TimeSpan.FromMilliseconds(100), CallOutcome.Succeeded).ShouldNotBeNull().Cause.ShouldBe(CircuitTransitionCause.SlowCallRatio);
    }

    [Fact]
    public void Exit_SlowCallDurationPassesBetweenTwoPermits_OnlyTheOlderIsSlow()
    {
        var breaker = Make(o => (o.SlowCallDuration, o.MinimumThroughput) = (Second, 100));
        var older = Enter(breaker);
        _time.Advance(Tick);
        var newer = Enter(breaker);
        _time.Advance(Second - Tick);

        breaker.Exit(older, CallOutcome.Succeeded);
        breaker.Exit(newer, CallOutcome.Succeeded);

        breaker.Snapshot().SlowCalls.ShouldBe(1);
    }

    [Theory]
    [InlineData(CallOutcome.Failed)]
    [InlineData(CallOutcome.Succeeded)]
    public void Exit_LateResultOfAnEarlierClosedEra_TouchesNeitherWindowNorRow(CallOutcome late)
    {
        var breaker = Make(o => (o.ConsecutiveFailures, o.FailureRatio) = (2, null));
        var permit = Enter(breaker);
        Call(breaker, CallOutcome.Failed);
        Call(breaker, CallOutcome.Failed).ShouldNotBeNull().Cause.ShouldBe(CircuitTransitionCause.ConsecutiveFailures);
        breaker.Reset();
        Call(breaker, CallOutcome.Failed).ShouldBeNull();

        breaker.Exit(permit, late).ShouldBeNull();

        breaker.Snapshot().Calls.ShouldBe(1);
        Call(breaker, CallOutcome.Failed).ShouldNotBeNull().Cause.ShouldBe(CircuitTransitionCause.ConsecutiveFailures);
    }

    [Fact]
    public void Exit_RowOfFailuresBeforeATrip_DoesNotCountAfterTheClose()
    {
        var breaker = Make(o => (o.ConsecutiveFailures, o.FailureRatio) = (3, null));
        Call(breaker, CallOutcome.Failed);
        Call(breaker, CallOutcome.Failed);
        breaker.ForceOpen();
        breaker.Reset();

        Call(breaker, CallOutcome.Failed).ShouldBeNull();
        Call(breaker, CallOutcome.Failed).ShouldBeNull();
        Call(breaker, CallOutcome.Failed).ShouldNotBeNull();
    }

    [Fact]
    public void Exit_ManyIgnoredOutcomes_NeitherFillTheWindowNorBreakTheRow()
    {
        var breaker = Make(o => o.ConsecutiveFailures = 3);
        Call(breaker, CallOutcome.Failed);
        Call(breaker, CallOutcome.Failed);
        for (var i = 0; i < 100; i++)
        {
            Call(breaker, CallOutcome.Ignored).ShouldBeNull();
        }

        breaker.Snapshot().Calls.ShouldBe(2);
        Call(breaker, CallOutcome.Failed).ShouldNotBeNull().Cause.ShouldBe(CircuitTransitionCause.ConsecutiveFailures);
    }

    [Fact]
    public void Exit_FromManyThreads_TripsOnce()
    {
        for (var round = 0; round < 200; round++)
        {
            var breaker = Make(o => (o.MinimumThroughput, o.FailureRatio) = (8, 1.0));
            var transitions = new CircuitTransition?[8];
            OnThreads(8, i => transitions[i] = Call(breaker, CallOutcome.Failed));

            transitions.Count(transition => transition is not null).ShouldBe(1);
            breaker.State.ShouldBe(CircuitState.Open);
            breaker.Snapshot().Era.ShouldBe(transitions.Single(transition => transition is not null)!.Era);
        }
    }

    [Fact]
    public void Exit_FromManyThreadsBelowTheThreshold_LosesNoResult()
    {
        var breaker = Make(o => o.MinimumThroughput = 1_000_000);
        OnThreads(8, i =>
        {
            for (var n = 0; n < 2_000; n++)
            {
                Call(breaker, i % 2 == 0 ? CallOutcome.Failed : CallOutcome.Succeeded);
            }
        });

        (breaker.Snapshot().Calls, breaker.Snapshot().Failures).ShouldBe((16_000, 8_000));
    }
}
