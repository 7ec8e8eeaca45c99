using Microsoft.Extensions.Options;

namespace ResilientHost.Tests.CircuitBreaking;

public sealed partial class CircuitBreakerTests
{
    [Fact]
    public void Apply_OtherThresholds_KeepsTheWindowAndJudgesTheNextOutcome()
    {
        var breaker = Make(o => o.MinimumThroughput = 100);
        Call(breaker, CallOutcome.Failed, 10);
        Call(breaker, CallOutcome.Succeeded, 5);
        breaker.Apply(Options());
        breaker.Snapshot().Calls.ShouldBe(15);
        Call(breaker, CallOutcome.Succeeded)!.To.ShouldBe(CircuitState.Open);
    }

    [Fact]
    public void Apply_WhileOpen_KeepsTheEndOfTheBreak()
    {
        var breaker = MakeOpen();
        breaker.Apply(Options(o => o.BreakDuration = 60 * Second));
        breaker.Snapshot().RetryAfter.ShouldBe(5 * Second);
        breaker.Snapshot().Era.ShouldBe(2);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Apply_OtherWindow_StartsAFreshOneInTheSameEra(bool byCount)
    {
        var breaker = Make();
        var permit = Enter(breaker);
        Call(breaker, CallOutcome.Failed, 3);
        breaker.Apply(Options(o => _ = byCount ? o.WindowSize = 10 : (o.SamplingDuration = 20 * Second).Seconds));
        breaker.Snapshot().Calls.ShouldBe(0);
        breaker.Snapshot().Era.ShouldBe(1);
        breaker.Exit(permit, CallOutcome.Failed);
        breaker.Snapshot().Calls.ShouldBe(1);
    }

    [Fact]
    public void Apply_OtherWindow_KeepsTheRowOfFailures()
    {
        var breaker = Make(o => o.ConsecutiveFailures = 3);
        Call(breaker, CallOutcome.Failed, 2);
        breaker.Apply(Options(o => (o.ConsecutiveFailures, o.SamplingDuration) = (3, 20 * Second)));
        Call(breaker, CallOutcome.Failed)!.Cause.ShouldBe(CircuitTransitionCause.ConsecutiveFailures);
    }

    [Fact]
    public void Apply_Invalid_ThrowsAndChangesNothing()
    {
        var breaker = Make();
        Should.Throw<OptionsValidationException>(() => breaker.Apply(Options(o => (o.BreakDuration, o.Mode) = (TimeSpan.Zero, CircuitMode.Disabled))));
        breaker.Snapshot().Mode.ShouldBe(CircuitMode.Enforce);
        Trip(breaker);
    }

    [Fact]
    public void Apply_FewerProbesThanResultsInHand_SpeaksTheVerdict()
    {
        var breaker = MakeHalfOpen(o => o.HalfOpenProbes = 10);
        Call(breaker, CallOutcome.Succeeded, 2);
        breaker.State.ShouldBe(CircuitState.HalfOpen);
        breaker.Apply(Options(o => o.HalfOpenProbes = 2));
        breaker.State.ShouldBe(CircuitState.Closed);
    }

    [Fact]
    public void Apply_MoreProbesWhileAllAreInFlight_AdmitsMore()
    {
        var breaker = MakeHalfOpen(o => o.HalfOpenProbes = 1);
        Enter(breaker);
        Refuse(breaker);
        breaker.Apply(Options(o => o.HalfOpenProbes = 2));
        Enter(breaker).IsProbe.ShouldBeTrue();
        Refuse(breaker);
    }

    [Fact]
    public void Apply_FewerProbesThanInFlight_WaitsForThem()
    {
        var breaker = MakeHalfOpen();
        var probes = Enumerable.Range(0, 3).Select(_ => Enter(breaker)).ToList();
        breaker.Apply(Options(o => o.HalfOpenProbes = 1));
        breaker.Exit(probes[0], CallOutcome.Ignored);
        Refuse(breaker);
        breaker.Exit(probes[1], CallOutcome.Ignored);
        breaker.Exit(probes[2], CallOutcome.Ignored);
        Call(breaker, CallOutcome.Succeeded)!.To.ShouldBe(CircuitState.Closed);
    }

    [Fact]
    public void Apply_ShorterHalfOpenMaxDuration_HoldsForProbesInFlight()
    {
        var breaker = MakeHalfOpen();
        Enter(breaker);
        _time.Advance(3 * Second);
        breaker.Apply(Options(o => o.HalfOpenMaxDuration = 2 * Second));
        breaker.State.ShouldBe(CircuitState.Open);
    }
}
