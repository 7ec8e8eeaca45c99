namespace ResilientHost.Tests.CircuitBreaking;

public sealed partial class CircuitBreakerTests
{
    [Fact]
    public void TryEnter_NewBreaker_AdmitsInEraOneWithoutProbe()
    {
        var breaker = Make();
        var permit = Enter(breaker);
        (permit.Era, permit.IsProbe, breaker.State).ShouldBe((1L, false, CircuitState.Closed));
    }

    [Fact]
    public void Exit_FailureRatioReachedBelowMinimumThroughput_StaysClosed()
    {
        var breaker = Make();
        Call(breaker, CallOutcome.Failed, 3);
        breaker.State.ShouldBe(CircuitState.Closed);
    }

    [Fact]
    public void Exit_FailureRatioReachedExactly_Opens()
    {
        var breaker = Make();
        Call(breaker, CallOutcome.Succeeded, 2);
        Call(breaker, CallOutcome.Failed).ShouldBeNull();
        Call(breaker, CallOutcome.Failed).ShouldBe(
            new CircuitTransition("db", CircuitState.Closed, CircuitState.Open, CircuitTransitionCause.FailureRatio, 2, _time.GetUtcNow()));
    }

    [Fact]
    public void Exit_SuccessCompletesMinimumThroughput_Opens()
    {
        var breaker = Make();
        Call(breaker, CallOutcome.Failed, 3);
        Call(breaker, CallOutcome.Succeeded)!.Cause.ShouldBe(CircuitTransitionCause.FailureRatio);
    }

    [Fact]
    public void Exit_SuccessAfterOldSuccessesExpired_Opens()
    {
        var breaker = Make(o => o.MinimumThroughput = 3);
        Call(breaker, CallOutcome.Succeeded, 7);
        _time.Advance(5 * Second);
        Call(breaker, CallOutcome.Failed, 3);
        breaker.State.ShouldBe(CircuitState.Closed);
        _time.Advance(5 * Second);
        Call(breaker, CallOutcome.Succeeded)!.To.ShouldBe(CircuitState.Open);
    }

    [Fact]
    public void Exit_RatioThatBinaryFractionsMiss_IsInclusive()
    {
        var breaker = Make(o => (o.FailureRatio, o.MinimumThroughput) = (0.07, 100));
        Call(breaker, CallOutcome.Succeeded, 93);
        Call(breaker, CallOutcome.Failed, 6);
        breaker.State.ShouldBe(CircuitState.Closed);
        Call(breaker, CallOutcome.Failed);
        breaker.State.ShouldBe(CircuitState.Open);
    }

    [Fact]
    public void Exit_NullFailureRatio_NeverTripsOnFailures()
    {
        var breaker = Make(o => o.FailureRatio = null);
        Call(breaker, CallOutcome.Failed, 50);
        breaker.State.ShouldBe(CircuitState.Closed);
        breaker.Snapshot().Failures.ShouldBe(50);
    }

    [Fact]
    public void Exit_Ignored_EntersNeitherNumeratorNorDenominator()
    {
        var breaker = Make();
        Call(breaker, CallOutcome.Ignored, 10);
        Call(breaker, CallOutcome.Failed, 3);
        Call(breaker, CallOutcome.Ignored, 10);
        var snapshot = breaker.Snapshot();
        (snapshot.State, snapshot.Calls, snapshot.Failures, snapshot.FailureRatio).ShouldBe((CircuitState.Closed, 3, 3, 1.0));
    }

    [Fact]
    public void Exit_ConsecutiveFailures_OpensWhateverTheRatio()
    {
        var breaker = Make(o => (o.FailureRatio, o.ConsecutiveFailures) = (null, 3));
        Call(breaker, CallOutcome.Succeeded, 50);
        Call(breaker, CallOutcome.Failed, 2);
        Call(breaker, CallOutcome.Failed)!.Cause.ShouldBe(CircuitTransitionCause.ConsecutiveFailures);
    }

    [Fact]
    public void Exit_SuccessBetweenFailures_BreaksTheRow()
    {
        var breaker = Make(o => (o.FailureRatio, o.ConsecutiveFailures) = (null, 3));
        Call(breaker, CallOutcome.Failed, 2);
        Call(breaker, CallOutcome.Succeeded);
        Call(breaker, CallOutcome.Failed, 2);
        breaker.State.ShouldBe(CircuitState.Closed);
    }

    [Fact]
    public void Exit_IgnoredBetweenFailures_NeitherBreaksNorExtendsTheRow()
    {
        var breaker = Make(o => (o.FailureRatio, o.ConsecutiveFailures) = (null, 3));
        Call(breaker, CallOutcome.Failed, 2);
        Call(breaker, CallOutcome.Ignored, 5);
        breaker.State.ShouldBe(CircuitState.Closed);
        Call(breaker, CallOutcome.Failed);
        breaker.State.ShouldBe(CircuitState.Open);
    }

    [Fact]
    public void Exit_RowOlderThanTheWindow_StillCounts()
    {
        var breaker = Make(o => (o.FailureRatio, o.ConsecutiveFailures) = (null, 2));
        Call(breaker, CallOutcome.Failed);
        _time.Advance(100 * Second);
        Call(breaker, CallOutcome.Failed)!.Cause.ShouldBe(CircuitTransitionCause.ConsecutiveFailures);
    }

    [Fact]
    public void Exit_SlowCallsReachRatio_Opens()
    {
        var breaker = Make(o => (o.SlowCallDuration, o.SlowCallRatio) = (Second, 0.5));
        Call(breaker, CallOutcome.Succeeded, 2);
        SlowCall(breaker, Second).ShouldBeNull();
        SlowCall(breaker, Second)!.Cause.ShouldBe(CircuitTransitionCause.SlowCallRatio);
    }

    [Fact]
    public void Exit_CallOneTickQuickerThanSlow_IsNotSlow()
    {
        var breaker = Make(o => o.SlowCallDuration = Second);
        SlowCall(breaker, Second - Tick);
        SlowCall(breaker, Second);
        SlowCall(breaker, Second, CallOutcome.Ignored);
        var snapshot = breaker.Snapshot();
        (snapshot.Calls, snapshot.SlowCalls, snapshot.SlowCallRatio).ShouldBe((2, 1, 0.5));
    }

    [Fact]
    public void Exit_SlowFailure_CountsAsBoth()
    {
        var breaker = Make(o => o.SlowCallDuration = Second);
        SlowCall(breaker, Second, CallOutcome.Failed);
        var snapshot = breaker.Snapshot();
        (snapshot.Calls, snapshot.Failures, snapshot.SlowCalls).ShouldBe((1, 1, 1));
    }

    [Fact]
    public void Exit_DefaultPermit_IsNoOp()
    {
        var breaker = Make();
        breaker.Exit(default, CallOutcome.Failed).ShouldBeNull();
        breaker.Snapshot().Calls.ShouldBe(0);
    }

    [Fact]
    public void Exit_UnknownOutcome_Throws() =>
        Should.Throw<ArgumentOutOfRangeException>(() => Make().Exit(default, (CallOutcome)3));

    [Fact]
    public void Exit_RetryAfterWithoutTrip_OpensNothing()
    {
        var breaker = Make();
        breaker.Exit(Enter(breaker), CallOutcome.Failed, 60 * Second).ShouldBeNull();
        breaker.State.ShouldBe(CircuitState.Closed);
    }

    [Fact]
    public void Constructor_OptionsChangedLater_HaveNoEffect()
    {
        var options = Options();
        var breaker = new CircuitBreaker("db", options, _time);
        options.MinimumThroughput = 1;
        Call(breaker, CallOutcome.Failed).ShouldBeNull();
    }

    [Fact]
    public void Constructor_BadArguments_Throw()
    {
        Should.Throw<ArgumentException>(() => new CircuitBreaker("", new CircuitBreakerOptions()));
        Should.Throw<ArgumentNullException>(() => new CircuitBreaker(null!, new CircuitBreakerOptions()));
        Should.Throw<ArgumentNullException>(() => new CircuitBreaker("db", null!));
    }

    [Theory]
    [InlineData(0, null)]
    [InlineData(0, 1000)]
    [InlineData(100, null)]
    public void TryEnterAndExit_Closed_AllocateNothing(int windowSize, int? slowMilliseconds)
    {
        var breaker = new CircuitBreaker("db", new CircuitBreakerOptions
        {
            WindowSize = windowSize,
            SlowCallDuration = slowMilliseconds is { } slow ? TimeSpan.FromMilliseconds(slow) : null,
        });
        Call(breaker, CallOutcome.Failed);

        AllocatedBytes.Of(Run).ShouldBe(0);
        breaker.Snapshot().Calls.ShouldBe(windowSize == 0 ? 20_001 : windowSize);

        void Run()
        {
            for (var i = 0; i < 10_000; i++)
            {
                if (breaker.TryEnter(out var permit, out _))
                {
                    breaker.Exit(permit, i == 0 ? CallOutcome.Failed : CallOutcome.Succeeded);
                }
            }
        }
    }
}
