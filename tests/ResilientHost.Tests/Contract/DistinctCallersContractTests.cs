using System.Globalization;
using Microsoft.Extensions.Options;

namespace ResilientHost.Tests.Contract;

// Written from the contract alone, against the public API alone.
[Collection("alone in the process")] // The heap is measured.
public sealed class DistinctCallersContractTests
{
    private readonly ManualTimeProvider _time = new();

    private CircuitBreaker Ratio(int callers, int window = 0) => new(
        "crowd",
        new CircuitBreakerOptions { FailureRatio = 0.5, MinimumThroughput = 4, MinimumDistinctCallers = callers, WindowSize = window, BreakJitter = 0 },
        _time);

    private CircuitBreaker Row(int callers, int failures = 3) => new(
        "crowd",
        new CircuitBreakerOptions { FailureRatio = null, ConsecutiveFailures = failures, MinimumDistinctCallers = callers, BreakJitter = 0 },
        _time);

    private static CircuitTransition? Call(CircuitBreaker breaker, CallOutcome outcome, string? caller)
    {
        breaker.TryEnter(out var permit, out var refusal).ShouldBeTrue(refusal.ToString());
        return breaker.Exit(permit, outcome, caller);
    }

    private static string Name(int number) => number.ToString(CultureInfo.InvariantCulture);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Poison_OfOneCaller_NeverOpens(bool isRow)
    {
        var breaker = isRow ? Row(2) : Ratio(2);
        for (var i = 0; i < 5000; i++)
        {
            Call(breaker, CallOutcome.Failed, "poison").ShouldBeNull();
            _time.Advance(TimeSpan.FromMilliseconds(7));
        }

        breaker.State.ShouldBe(CircuitState.Closed);
    }

    [Theory]
    [InlineData(false, 2)]
    [InlineData(false, 64)]
    [InlineData(true, 2)]
    [InlineData(true, 64)]
    public void LastMissingCaller_Opens(bool isRow, int callers)
    {
        var breaker = isRow ? Row(callers) : Ratio(callers);
        for (var i = 0; i < 10; i++)
        {
            Call(breaker, CallOutcome.Failed, "0").ShouldBeNull();
        }

        for (var i = 1; i < callers - 1; i++)
        {
            Call(breaker, CallOutcome.Failed, Name(i)).ShouldBeNull();
        }

        var opened = Call(breaker, CallOutcome.Failed, "last").ShouldNotBeNull();
        opened.To.ShouldBe(CircuitState.Open);
        opened.Cause.ShouldBe(isRow ? CircuitTransitionCause.ConsecutiveFailures : CircuitTransitionCause.FailureRatio);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void NoneOrOne_IsAsBefore(int callers)
    {
        var breaker = Row(callers);
        Call(breaker, CallOutcome.Failed, null);
        Call(breaker, CallOutcome.Failed, null);
        Call(breaker, CallOutcome.Failed, null).ShouldNotBeNull();
    }

    [Fact]
    public void Nobody_IsOneCaller_ByWhateverOverload()
    {
        var breaker = Row(2);
        for (var i = 0; i < 20; i++)
        {
            Call(breaker, CallOutcome.Failed, i % 2 == 0 ? null : "").ShouldBeNull();
            breaker.TryEnter(out var permit, out _).ShouldBeTrue();
            breaker.Exit(permit, CallOutcome.Failed).ShouldBeNull();
            breaker.TryEnter(out permit, out _).ShouldBeTrue();
            breaker.Exit(permit, CallOutcome.Failed, TimeSpan.FromSeconds(1)).ShouldBeNull();
        }

        Call(breaker, CallOutcome.Failed, "somebody").ShouldNotBeNull();
    }

    [Fact]
    public void Successes_AndIgnoredCalls_NameNobody()
    {
        var breaker = Ratio(3);
        for (var i = 0; i < 50; i++)
        {
            Call(breaker, CallOutcome.Succeeded, "good" + Name(i));
            Call(breaker, CallOutcome.Ignored, "gone" + Name(i));
        }

        for (var i = 0; i < 100; i++)
        {
            Call(breaker, CallOutcome.Failed, "poison").ShouldBeNull();
        }

        breaker.State.ShouldBe(CircuitState.Closed);
    }

    [Fact]
    public void Row_Broken_ForgetsItsCallers()
    {
        var breaker = Row(2);
        Call(breaker, CallOutcome.Failed, "a");
        Call(breaker, CallOutcome.Succeeded, "c");
        for (var i = 0; i < 10; i++)
        {
            Call(breaker, CallOutcome.Failed, "b").ShouldBeNull();
        }

        Call(breaker, CallOutcome.Failed, "a").ShouldNotBeNull();
    }

    [Fact]
    public void Window_Passed_ForgetsItsCallers()
    {
        var breaker = Ratio(2);
        Call(breaker, CallOutcome.Failed, "a");
        _time.Advance(TimeSpan.FromSeconds(31));
        for (var i = 0; i < 10; i++)
        {
            Call(breaker, CallOutcome.Failed, "b").ShouldBeNull();
        }

        Call(breaker, CallOutcome.Failed, "a").ShouldNotBeNull();
    }

    [Fact]
    public void CountWindow_Passed_ForgetsItsCallers()
    {
        var breaker = Ratio(2, window: 10);
        Call(breaker, CallOutcome.Failed, "a");
        for (var i = 0; i < 50; i++)
        {
            // The caller "a" leaves the window with the eleventh call; before, both are in it.
            Call(breaker, i < 10 ? CallOutcome.Succeeded : CallOutcome.Failed, "b").ShouldBeNull();
        }

        Call(breaker, CallOutcome.Failed, "a").ShouldNotBeNull();
    }

    [Fact]
    public void Opening_ForgetsCallers_AndProbesDecideWhoeverSendsThem()
    {
        var breaker = Row(2);
        Call(breaker, CallOutcome.Failed, "a");
        Call(breaker, CallOutcome.Failed, "b");
        Call(breaker, CallOutcome.Failed, "a").ShouldNotBeNull();

        _time.Advance(TimeSpan.FromSeconds(5));
        Call(breaker, CallOutcome.Failed, "poison").ShouldNotBeNull().Cause.ShouldBe(CircuitTransitionCause.ProbesFailed);
        breaker.State.ShouldBe(CircuitState.Open);
        _time.Advance(TimeSpan.FromSeconds(10));
        for (var i = 0; i < 3; i++)
        {
            Call(breaker, CallOutcome.Succeeded, "poison");
        }

        breaker.State.ShouldBe(CircuitState.Closed);
        for (var i = 0; i < 10; i++)
        {
            Call(breaker, CallOutcome.Failed, "a").ShouldBeNull();
        }
    }

    [Fact]
    public void LateResult_OfAnOlderEra_NamesNobody()
    {
        var breaker = Row(2);
        breaker.TryEnter(out var late, out _).ShouldBeTrue();
        breaker.ForceOpen(TimeSpan.FromSeconds(1));
        breaker.Reset();
        breaker.Exit(late, CallOutcome.Failed, "b").ShouldBeNull();
        for (var i = 0; i < 10; i++)
        {
            Call(breaker, CallOutcome.Failed, "a").ShouldBeNull();
        }
    }

    [Fact]
    public void SlowCalls_CountTheirCallersToo()
    {
        var breaker = new CircuitBreaker(
            "crowd",
            new CircuitBreakerOptions
            {
                FailureRatio = null,
                SlowCallDuration = TimeSpan.FromSeconds(1),
                SlowCallRatio = 0.5,
                MinimumThroughput = 4,
                MinimumDistinctCallers = 2,
            },
            _time);
        CircuitTransition? Slow(string caller)
        {
            breaker.TryEnter(out var permit, out _).ShouldBeTrue();
            _time.Advance(TimeSpan.FromSeconds(1));
            return breaker.Exit(permit, CallOutcome.Succeeded, caller);
        }

        for (var i = 0; i < 20; i++)
        {
            Slow("one").ShouldBeNull();
        }

        Slow("two").ShouldNotBeNull().Cause.ShouldBe(CircuitTransitionCause.SlowCallRatio);
    }

    [Fact]
    public void MillionCallers_LongNames_TakeBoundedMemory()
    {
        var breaker = new CircuitBreaker(
            "crowd", new CircuitBreakerOptions { FailureRatio = 1, MinimumThroughput = 1_000_000_000, MinimumDistinctCallers = 64 }, _time);
        var tail = new string('x', 500);
        Call(breaker, CallOutcome.Failed, tail);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        for (var i = 0; i < 200_000; i++)
        {
            Call(breaker, CallOutcome.Failed, Name(i) + tail);
        }

        (GC.GetTotalMemory(forceFullCollection: true) - before).ShouldBeLessThan(4_000_000);
        GC.KeepAlive(breaker);
    }

    [Fact]
    public void Shadow_TellsTheSame()
    {
        var breaker = new CircuitBreaker(
            "crowd", new CircuitBreakerOptions { FailureRatio = null, ConsecutiveFailures = 2, MinimumDistinctCallers = 2, Mode = CircuitMode.Shadow }, _time);
        Call(breaker, CallOutcome.Failed, "a");
        Call(breaker, CallOutcome.Failed, "a");
        breaker.State.ShouldBe(CircuitState.Closed);
        Call(breaker, CallOutcome.Failed, "b").ShouldNotBeNull();
        breaker.State.ShouldBe(CircuitState.Open);
    }

    [Fact]
    public void Apply_RaisedAndLowered_HoldsFromTheNextOutcome()
    {
        var breaker = Row(0);
        var options = new CircuitBreakerOptions { FailureRatio = null, ConsecutiveFailures = 3, MinimumDistinctCallers = 2 };
        breaker.Apply(options);
        for (var i = 0; i < 10; i++)
        {
            Call(breaker, CallOutcome.Failed, "a").ShouldBeNull();
        }

        options.MinimumDistinctCallers = 0;
        breaker.Apply(options);
        Call(breaker, CallOutcome.Failed, "a").ShouldNotBeNull();
    }

    [Theory]
    [InlineData(-1, 0)]
    [InlineData(65, 0)]
    [InlineData(11, 10)]
    public void Options_OutOfBounds_NameTheProperty(int callers, int window) =>
        Should.Throw<OptionsValidationException>(() => Ratio(callers, window)).Message.ShouldContain("MinimumDistinctCallers");

    [Fact]
    public void Exit_UnknownOutcome_IsTheCallersFault()
    {
        var breaker = Row(2);
        breaker.TryEnter(out var permit, out _).ShouldBeTrue();
        Should.Throw<ArgumentOutOfRangeException>(() => breaker.Exit(permit, (CallOutcome)9, "a"));
    }
}
