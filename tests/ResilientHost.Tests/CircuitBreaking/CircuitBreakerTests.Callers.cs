using ResilientHost.CircuitBreaking;

namespace ResilientHost.Tests.CircuitBreaking;

// How many callers must have had trouble before a circuit opens for all.
public sealed partial class CircuitBreakerTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(50)]
    public void Exit_OneCallersPoisonRequests_OpenNothingUntilTheLastMissingCallerFails(int windowSize)
    {
        var breaker = Make(o => (o.MinimumDistinctCallers, o.WindowSize) = (3, windowSize));
        for (var i = 0; i < 1_000; i++)
        {
            CallOf(breaker, "mallory", CallOutcome.Failed).ShouldBeNull();
        }

        CallOf(breaker, "alice", CallOutcome.Failed).ShouldBeNull("two callers");
        CallOf(breaker, "mallory", CallOutcome.Failed).ShouldBeNull("still two");
        var transition = CallOf(breaker, "bob", CallOutcome.Failed);
        transition.ShouldNotBeNull();
        (transition.Cause, breaker.State).ShouldBe((CircuitTransitionCause.FailureRatio, CircuitState.Open));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void Exit_NoMatterHowManyCallers_OpensByOne(int minimum)
    {
        var breaker = Make(o => o.MinimumDistinctCallers = minimum);
        for (var i = 0; i < 4; i++)
        {
            CallOf(breaker, "mallory", CallOutcome.Failed);
        }

        breaker.State.ShouldBe(CircuitState.Open);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(50)]
    public void Exit_CallersThatSucceeded_AreNotCounted(int windowSize)
    {
        var breaker = Make(o => (o.MinimumDistinctCallers, o.WindowSize, o.FailureRatio) = (2, windowSize, 0.1));
        for (var i = 0; i < 20; i++)
        {
            CallOf(breaker, "caller" + i, CallOutcome.Succeeded);
            CallOf(breaker, "mallory", CallOutcome.Failed).ShouldBeNull();
        }

        CallOf(breaker, "caller1", CallOutcome.Failed)!.To.ShouldBe(CircuitState.Open);
    }

    [Fact]
    public void Exit_CallersNobodyNames_AreOne()
    {
        var breaker = Make(o => o.MinimumDistinctCallers = 2);
        Call(breaker, CallOutcome.Failed, 5);
        CallOf(breaker, null, CallOutcome.Failed).ShouldBeNull();
        CallOf(breaker, "", CallOutcome.Failed).ShouldBeNull();
        breaker.Exit(Enter(breaker), CallOutcome.Failed, TimeSpan.FromSeconds(1)).ShouldBeNull();
        breaker.Exit(Enter(breaker), CallOutcome.Failed, _time.GetTimestamp()).ShouldBeNull();
        CallOf(breaker, "alice", CallOutcome.Failed)!.To.ShouldBe(CircuitState.Open);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(50)]
    public void Exit_SlowCalls_AreCountedByThoseThatWereSlow(int windowSize)
    {
        var breaker = Make(o => (o.MinimumDistinctCallers, o.WindowSize, o.FailureRatio, o.SlowCallDuration, o.SlowCallRatio) = (2, windowSize, null, Second, 0.5));
        for (var i = 0; i < 4; i++)
        {
            SlowCallOf(breaker, "mallory").ShouldBeNull();
            CallOf(breaker, "caller" + i, CallOutcome.Failed).ShouldBeNull("failing fast is not being slow");
        }

        SlowCallOf(breaker, "alice")!.Cause.ShouldBe(CircuitTransitionCause.SlowCallRatio);
    }

    [Fact]
    public void Exit_FailuresOfOneAndSlowCallsOfMany_TripsForTheSlowOnes()
    {
        var breaker = Make(o => (o.MinimumDistinctCallers, o.SlowCallDuration, o.SlowCallRatio, o.SamplingDuration) = (2, Second, 0.2, 60 * Second));
        for (var i = 0; i < 4; i++)
        {
            CallOf(breaker, "mallory", CallOutcome.Failed);
        }

        SlowCallOf(breaker, "mallory").ShouldBeNull();
        SlowCallOf(breaker, "alice")!.Cause.ShouldBe(CircuitTransitionCause.SlowCallRatio);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(50)]
    public void Exit_RowOfFailures_CountsTheCallersOfTheRow(int windowSize)
    {
        var breaker = Make(o => (o.MinimumDistinctCallers, o.WindowSize, o.FailureRatio, o.ConsecutiveFailures) = (2, windowSize, null, 3));
        CallOf(breaker, "alice", CallOutcome.Failed);
        CallOf(breaker, "bob", CallOutcome.Succeeded);
        for (var i = 0; i < 10; i++)
        {
            CallOf(breaker, "mallory", CallOutcome.Failed).ShouldBeNull("alice's failure is of an earlier row");
        }

        CallOf(breaker, "mallory", CallOutcome.Ignored).ShouldBeNull();
        CallOf(breaker, "alice", CallOutcome.Failed)!.Cause.ShouldBe(CircuitTransitionCause.ConsecutiveFailures);
    }

    [Fact]
    public void Exit_CallerWhoseFailureLeftTheWindow_IsForgotten()
    {
        var breaker = Make(o => o.MinimumDistinctCallers = 2);
        CallOf(breaker, "alice", CallOutcome.Failed);
        _time.Advance(9 * Second);
        for (var i = 0; i < 5; i++)
        {
            _time.Advance(Second);
            CallOf(breaker, "mallory", CallOutcome.Failed).ShouldBeNull();
        }

        CallOf(breaker, "alice", CallOutcome.Failed)!.To.ShouldBe(CircuitState.Open);
    }

    [Fact]
    public void Exit_CallerWhoseFailureLeftTheLastCalls_IsForgotten()
    {
        var breaker = Make(o => (o.MinimumDistinctCallers, o.WindowSize, o.MinimumThroughput) = (2, 10, 10));
        CallOf(breaker, "alice", CallOutcome.Failed);
        for (var i = 0; i < 4; i++)
        {
            CallOf(breaker, "bob", CallOutcome.Succeeded);
        }

        for (var i = 0; i < 4; i++)
        {
            CallOf(breaker, "mallory", CallOutcome.Failed);
        }

        CallOf(breaker, "bob", CallOutcome.Succeeded)!.Cause.ShouldBe(CircuitTransitionCause.FailureRatio, "5 of 10, alice's the oldest");

        breaker.Reset();
        CallOf(breaker, "alice", CallOutcome.Failed);
        for (var i = 0; i < 30; i++)
        {
            CallOf(breaker, i < 10 ? "bob" : "mallory", i < 10 ? CallOutcome.Succeeded : CallOutcome.Failed).ShouldBeNull("alice's has left");
        }
    }

    [Fact]
    public void Exit_SuccessThatCompletesTheThroughput_OpensWithEnoughCallers()
    {
        var breaker = Make(o => (o.MinimumDistinctCallers, o.MinimumThroughput) = (2, 4));
        CallOf(breaker, "alice", CallOutcome.Failed);
        CallOf(breaker, "bob", CallOutcome.Failed);
        CallOf(breaker, "carol", CallOutcome.Succeeded).ShouldBeNull();
        CallOf(breaker, "carol", CallOutcome.Succeeded)!.To.ShouldBe(CircuitState.Open);
    }

    [Fact]
    public void Exit_AfterReset_NobodyIsRemembered()
    {
        var breaker = Make(o => o.MinimumDistinctCallers = 2);
        CallOf(breaker, "alice", CallOutcome.Failed);
        breaker.Reset();
        for (var i = 0; i < 5; i++)
        {
            CallOf(breaker, "mallory", CallOutcome.Failed).ShouldBeNull();
        }
    }

    [Fact]
    public void Exit_HalfOpen_OneCallersProbesDecide()
    {
        var breaker = Make(o => (o.MinimumDistinctCallers, o.HalfOpenProbes) = (2, 1));
        breaker.ForceOpen();
        _time.Advance(5 * Second);
        CallOf(breaker, "mallory", CallOutcome.Failed)!.Cause.ShouldBe(CircuitTransitionCause.ProbesFailed);
    }

    [Fact]
    public void Exit_Shadow_DecidesAlike()
    {
        var breaker = Make(o => (o.Mode, o.MinimumDistinctCallers) = (CircuitMode.Shadow, 2));
        for (var i = 0; i < 10; i++)
        {
            CallOf(breaker, "mallory", CallOutcome.Failed).ShouldBeNull();
        }

        CallOf(breaker, "alice", CallOutcome.Failed)!.To.ShouldBe(CircuitState.Open);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(50)]
    public void Apply_OtherMinimum_CountsOnWithTheCallersThereWere(int windowSize)
    {
        var breaker = Make(o => (o.MinimumDistinctCallers, o.WindowSize) = (2, windowSize));
        for (var i = 0; i < 10; i++)
        {
            CallOf(breaker, "mallory", CallOutcome.Failed);
        }

        breaker.Apply(Options(o => (o.MinimumDistinctCallers, o.WindowSize) = (3, windowSize)));
        CallOf(breaker, "alice", CallOutcome.Failed).ShouldBeNull();
        breaker.Apply(Options(o => (o.MinimumDistinctCallers, o.WindowSize) = (2, windowSize)));
        CallOf(breaker, "alice", CallOutcome.Failed)!.To.ShouldBe(CircuitState.Open, "two had failed before");
    }

    [Fact]
    public void Apply_MinimumSwitchedOffAndOn_NobodyFromBeforeCounts()
    {
        void Reload(CircuitBreaker breaker, int minimum) =>
            breaker.Apply(Options(o => (o.MinimumDistinctCallers, o.FailureRatio, o.ConsecutiveFailures) = (minimum, null, 4)));

        var breaker = Make();
        Reload(breaker, 2);
        CallOf(breaker, "alice", CallOutcome.Failed);
        Reload(breaker, 0);
        CallOf(breaker, "bob", CallOutcome.Succeeded);
        CallOf(breaker, "mallory", CallOutcome.Failed);
        CallOf(breaker, "mallory", CallOutcome.Failed);
        CallOf(breaker, "mallory", CallOutcome.Failed);
        Reload(breaker, 2);
        CallOf(breaker, "mallory", CallOutcome.Failed).ShouldBeNull();
        CallOf(breaker, "alice", CallOutcome.Failed)!.Cause.ShouldBe(CircuitTransitionCause.ConsecutiveFailures);
    }

    [Fact]
    public void Apply_CallersToldApartOtherwise_OneCallerIsNotCountedTwice()
    {
        var breaker = Make(o => o.MinimumDistinctCallers = 2);
        for (var i = 0; i < 5; i++)
        {
            CallOf(breaker, "mallory", CallOutcome.Failed);
        }

        breaker.Apply(Options(o => (o.MinimumDistinctCallers, o.CallerBy) = (2, "RemoteAddress")));
        for (var i = 0; i < 5; i++)
        {
            CallOf(breaker, "192.0.2.66", CallOutcome.Failed).ShouldBeNull();
        }
    }

    [Fact]
    public void Apply_OtherWindow_RowGoesOnWithItsCallers()
    {
        void Reload(CircuitBreaker breaker, int windowSize) =>
            breaker.Apply(Options(o => (o.MinimumDistinctCallers, o.FailureRatio, o.ConsecutiveFailures, o.WindowSize) = (2, null, 3, windowSize)));

        var breaker = Make();
        Reload(breaker, 0);
        CallOf(breaker, "alice", CallOutcome.Failed);
        Reload(breaker, 50);
        CallOf(breaker, "mallory", CallOutcome.Failed);
        CallOf(breaker, "mallory", CallOutcome.Failed)!.Cause.ShouldBe(CircuitTransitionCause.ConsecutiveFailures);
    }

    [Fact]
    public void Exit_HashOfTheCaller_CountsAsItsNameDoes()
    {
        var breaker = Make(o => o.MinimumDistinctCallers = 2);
        breaker.CountsCallers.ShouldBeTrue();
        Make().CountsCallers.ShouldBeFalse();
        for (var i = 0; i < 5; i++)
        {
            CallOf(breaker, "mallory", CallOutcome.Failed);
        }

        breaker.Exit(Enter(breaker), CallOutcome.Failed, _time.GetTimestamp(), CircuitBreaker.HashOf("mallory")).ShouldBeNull();
        breaker.Exit(Enter(breaker), CallOutcome.Failed, _time.GetTimestamp(), CircuitBreaker.HashOf("alice"))!.To.ShouldBe(CircuitState.Open);
        (CircuitBreaker.HashOf(null), CircuitBreaker.HashOf("")).ShouldBe((CircuitBreaker.AnonymousCaller, CircuitBreaker.AnonymousCaller));
    }

    [Fact]
    public void CountsCaller_CallThatWentWellOrProbes_NeedsNoKey()
    {
        var breaker = Make(o => (o.MinimumDistinctCallers, o.SlowCallDuration) = (2, Second));
        var permit = Enter(breaker);
        breaker.CountsCaller(permit, CallOutcome.Succeeded, _time.GetTimestamp()).ShouldBeFalse();
        breaker.CountsCaller(permit, CallOutcome.Failed, _time.GetTimestamp()).ShouldBeTrue();
        _time.Advance(Second);
        breaker.CountsCaller(permit, CallOutcome.Succeeded, _time.GetTimestamp()).ShouldBeTrue();
        breaker.CountsCaller(permit, CallOutcome.Ignored, _time.GetTimestamp()).ShouldBeFalse();
        breaker.ForceOpen();
        _time.Advance(5 * Second);
        breaker.CountsCaller(Enter(breaker), CallOutcome.Failed, _time.GetTimestamp()).ShouldBeFalse();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(50)]
    public void Exit_CountingCallers_AllocatesNothing(int windowSize)
    {
        var breaker = Make(o => (o.MinimumDistinctCallers, o.WindowSize, o.FailureRatio, o.ConsecutiveFailures) = (64 > windowSize && windowSize > 0 ? windowSize : 64, windowSize, 0.9, 100));
        var names = Enumerable.Range(0, 20).Select(i => "caller" + i).ToArray();
        void Turn()
        {
            foreach (var name in names)
            {
                breaker.TryEnter(out var permit, out _);
                breaker.Exit(permit, CallOutcome.Failed, name);
                breaker.TryEnter(out permit, out _);
                breaker.Exit(permit, CallOutcome.Succeeded, name);
            }
        }

        AllocatedBytes.Of(Turn).ShouldBe(0);
        breaker.State.ShouldBe(CircuitState.Closed);
    }

    private static CircuitTransition? CallOf(CircuitBreaker breaker, string? caller, CallOutcome outcome) => breaker.Exit(Enter(breaker), outcome, caller);

    private CircuitTransition? SlowCallOf(CircuitBreaker breaker, string caller)
    {
        var permit = Enter(breaker);
        _time.Advance(Second);
        return breaker.Exit(permit, CallOutcome.Succeeded, caller);
    }
}
