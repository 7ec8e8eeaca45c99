using ResilientHost.CircuitBreaking;

namespace ResilientHost.Tests.CircuitBreaking;

// One partial file per state or concern; here is what they share.
public sealed partial class CircuitBreakerTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Tick = TimeSpan.FromTicks(1);

    private readonly ManualTimeProvider _time = new();

    /// <summary>A breaker that trips at 2 failures of 4 calls, breaks 5 s without jitter, and judges by 3 probes.</summary>
    private static CircuitBreakerOptions Options(Action<CircuitBreakerOptions>? change = null)
    {
        var options = new CircuitBreakerOptions
        {
            MinimumThroughput = 4,
            SamplingDuration = 10 * Second,
            BreakDuration = 5 * Second,
            BreakJitter = 0,
        };
        change?.Invoke(options);
        return options;
    }

    private CircuitBreaker Make(Action<CircuitBreakerOptions>? change = null) => new("db", Options(change), _time);

    private CircuitBreaker MakeOpen(Action<CircuitBreakerOptions>? change = null)
    {
        var breaker = Make(change);
        Trip(breaker);
        return breaker;
    }

    private CircuitBreaker MakeHalfOpen(Action<CircuitBreakerOptions>? change = null)
    {
        var breaker = MakeOpen(change);
        _time.Advance(5 * Second);
        breaker.State.ShouldBe(CircuitState.HalfOpen);
        return breaker;
    }

    private static void Trip(CircuitBreaker breaker)
    {
        for (var i = 0; i < 4; i++)
        {
            Call(breaker, CallOutcome.Failed);
        }

        breaker.State.ShouldBe(CircuitState.Open);
    }

    private static CircuitPermit Enter(CircuitBreaker breaker)
    {
        breaker.TryEnter(out var permit, out var refusal).ShouldBeTrue();
        refusal.ShouldBe(default);
        return permit;
    }

    private static Refusal Refuse(CircuitBreaker breaker)
    {
        breaker.TryEnter(out var permit, out var refusal).ShouldBeFalse();
        permit.Era.ShouldBe(0);
        return refusal;
    }

    private static CircuitTransition? Call(CircuitBreaker breaker, CallOutcome outcome) => breaker.Exit(Enter(breaker), outcome);

    private static void Call(CircuitBreaker breaker, CallOutcome outcome, int times)
    {
        for (var i = 0; i < times; i++)
        {
            Call(breaker, outcome);
        }
    }

    private CircuitTransition? SlowCall(CircuitBreaker breaker, TimeSpan duration, CallOutcome outcome = CallOutcome.Succeeded)
    {
        var permit = Enter(breaker);
        _time.Advance(duration);
        return breaker.Exit(permit, outcome);
    }

    private sealed class FixedRandom(double value) : Random
    {
        public override double NextDouble() => value;
    }

    private CircuitBreaker MakeWithRandom(double uniform, Action<CircuitBreakerOptions>? change = null) =>
        new("db", Options(change), new CircuitServices(_time, new FixedRandom(uniform)));
}
