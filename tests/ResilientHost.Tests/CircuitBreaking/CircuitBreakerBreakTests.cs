namespace ResilientHost.Tests.CircuitBreaking;

// A fault that one call has found and every other would run into.
public sealed class CircuitBreakerBreakTests
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    private readonly ManualTimeProvider _time = new();

    [Fact]
    public void Break_Closed_OpensForExactlySoLongBeyondTheCap()
    {
        var breaker = Make(o => o.MaxBreakDuration = o.BreakDuration);
        var transition = breaker.Break(60 * Minute, CircuitTransitionCause.CertificateFault)!;
        (transition.From, transition.To, transition.Cause).ShouldBe((CircuitState.Closed, CircuitState.Open, CircuitTransitionCause.CertificateFault));
        breaker.Snapshot().RetryAfter.ShouldBe(60 * Minute);
        _time.Advance((60 * Minute) - TimeSpan.FromTicks(1));
        breaker.State.ShouldBe(CircuitState.Open);
        _time.Advance(TimeSpan.FromTicks(1));
        breaker.State.ShouldBe(CircuitState.HalfOpen);
    }

    [Fact]
    public void Break_Open_KeepsTheLaterEndAndTellsNobody()
    {
        var breaker = Make();
        breaker.Break(2 * Minute, CircuitTransitionCause.CertificateFault);
        _time.Advance(TimeSpan.FromSeconds(1));
        breaker.Break(Minute, CircuitTransitionCause.CertificateFault).ShouldBeNull();
        breaker.Snapshot().RetryAfter.ShouldBe((2 * Minute) - TimeSpan.FromSeconds(1));
        breaker.Break(5 * Minute, CircuitTransitionCause.CertificateFault).ShouldBeNull();
        breaker.Snapshot().RetryAfter.ShouldBe(5 * Minute);
    }

    [Fact]
    public void Break_ThenHalfOpen_LetsOneProbeAtATimePassUntilClosed()
    {
        var breaker = Make(o => o.HalfOpenProbes = 3);
        breaker.Break(Minute, CircuitTransitionCause.CertificateFault);
        _time.Advance(Minute);
        for (var i = 0; i < 3; i++)
        {
            breaker.TryEnter(out var probe, out _).ShouldBeTrue();
            breaker.IsRefusing(out _).ShouldBeTrue();
            breaker.TryEnter(out _, out var refusal).ShouldBeFalse();
            refusal.Reason.ShouldBe(RefusalReason.CircuitOpen);
            breaker.Exit(probe, CallOutcome.Succeeded);
            if (breaker.State == CircuitState.Closed)
            {
                break;
            }
        }

        breaker.State.ShouldBe(CircuitState.Closed);
        breaker.ForceOpen(Minute);
        _time.Advance(Minute);
        breaker.TryEnter(out _, out _).ShouldBeTrue();
        breaker.TryEnter(out _, out _).ShouldBeTrue();
    }

    [Fact]
    public void Break_ProbeIgnored_GivesItsPlaceBack()
    {
        var breaker = Make();
        breaker.Break(Minute, CircuitTransitionCause.CertificateFault);
        _time.Advance(Minute);
        breaker.TryEnter(out var probe, out _).ShouldBeTrue();
        breaker.Exit(probe, CallOutcome.Ignored);
        breaker.TryEnter(out _, out _).ShouldBeTrue();
    }

    [Fact]
    public void Break_HalfOpen_OpensAgainAndOutdatesTheProbes()
    {
        var breaker = Make();
        breaker.Break(Minute, CircuitTransitionCause.CertificateFault);
        _time.Advance(Minute);
        breaker.TryEnter(out var probe, out _).ShouldBeTrue();
        breaker.Break(2 * Minute, CircuitTransitionCause.CertificateFault)!.From.ShouldBe(CircuitState.HalfOpen);
        breaker.Exit(probe, CallOutcome.Failed).ShouldBeNull();
        breaker.Snapshot().RetryAfter.ShouldBe(2 * Minute);
    }

    [Fact]
    public void Break_IsolatedForcedOrDisabled_ChangesNothing()
    {
        var isolated = Make();
        isolated.Isolate();
        isolated.Break(Minute, CircuitTransitionCause.CertificateFault).ShouldBeNull();
        isolated.State.ShouldBe(CircuitState.Isolated);

        var forced = Make(o => o.Mode = CircuitMode.ForcedOpen);
        forced.Break(Minute, CircuitTransitionCause.CertificateFault).ShouldBeNull();
        _time.Advance(60 * Minute);
        forced.State.ShouldBe(CircuitState.Open);

        var disabled = Make(o => o.Mode = CircuitMode.Disabled);
        disabled.Break(Minute, CircuitTransitionCause.CertificateFault).ShouldBeNull();
        disabled.State.ShouldBe(CircuitState.Closed);
    }

    [Fact]
    public void Break_Shadow_DecidesAndLetsCallsPass()
    {
        var breaker = Make(o => o.Mode = CircuitMode.Shadow);
        breaker.Break(Minute, CircuitTransitionCause.CertificateFault).ShouldNotBeNull();
        breaker.State.ShouldBe(CircuitState.Open);
        breaker.TryEnter(out _, out _).ShouldBeTrue();
        breaker.IsRefusing(out _).ShouldBeFalse();
    }

    [Fact]
    public void Break_NoDuration_Throws() =>
        Should.Throw<ArgumentOutOfRangeException>(() => Make().Break(TimeSpan.Zero, CircuitTransitionCause.CertificateFault));

    private CircuitBreaker Make(Action<CircuitBreakerOptions>? configure = null)
    {
        CircuitBreakerOptions options = new() { HalfOpenProbes = 3 };
        configure?.Invoke(options);
        return new("b", options, _time);
    }
}
