using System.Diagnostics;

namespace ResilientHost.Tests.History;

public sealed class CircuitTraceTests
{
    private readonly ManualTimeProvider _time = new();

    [Fact]
    public void Trip_OfACallWithATrace_NamesIt()
    {
        var circuit = new CircuitBreaker("db", new() { ConsecutiveFailures = 1 }, _time);
        using var call = new Activity("call").SetIdFormat(ActivityIdFormat.W3C).Start();
        circuit.TryEnter(out var permit, out _).ShouldBeTrue();

        circuit.Exit(permit, CallOutcome.Failed)!.TraceId.ShouldBe(call.TraceId.ToHexString());
    }

    [Fact]
    public void Trip_OfACallWithoutATrace_NamesNone()
    {
        var circuit = new CircuitBreaker("db", new() { ConsecutiveFailures = 1 }, _time);
        circuit.TryEnter(out var permit, out _).ShouldBeTrue();

        circuit.Exit(permit, CallOutcome.Failed)!.TraceId.ShouldBeNull();
    }

    [Fact]
    public void BreakThatElapses_IsNotTheDoingOfWhoLooks()
    {
        var circuit = new CircuitBreaker("db", new() { ConsecutiveFailures = 1 }, _time);
        using var told = new SemaphoreSlim(0);
        CircuitTransition? elapsed = null;
        circuit.Transitioned += transition =>
        {
            if (transition.To == CircuitState.HalfOpen)
            {
                elapsed = transition;
                told.Release();
            }
        };
        circuit.ForceOpen(TimeSpan.FromSeconds(1));
        _time.Advance(TimeSpan.FromSeconds(2));
        using var call = new Activity("call").SetIdFormat(ActivityIdFormat.W3C).Start();

        circuit.State.ShouldBe(CircuitState.HalfOpen);

        told.Wait(TimeSpan.FromSeconds(20)).ShouldBeTrue();
        elapsed!.TraceId.ShouldBeNull();
    }

    [Fact]
    public void WouldHaveRefused_InShadow_CountsWhatEnforceWouldHaveRefused()
    {
        var options = new CircuitBreakerOptions { ConsecutiveFailures = 1, Mode = CircuitMode.Shadow, BreakDuration = TimeSpan.FromSeconds(5), BreakJitter = 0, HalfOpenProbes = 1 };
        var circuit = new CircuitBreaker("db", options, _time);
        circuit.TryEnter(out var permit, out _);
        circuit.Exit(permit, CallOutcome.Failed);
        Enter(circuit, 3);
        circuit.WouldHaveRefused.ShouldBe(3);

        _time.Advance(TimeSpan.FromSeconds(6));
        Enter(circuit, 3);

        var snapshot = circuit.Snapshot();
        (snapshot.State, circuit.WouldHaveRefused, snapshot.Refused).ShouldBe((CircuitState.HalfOpen, 5, 0), "one of the three is the probe");
        circuit.Apply(new CircuitBreakerOptions { ConsecutiveFailures = 1, Mode = CircuitMode.Disabled });
        Enter(circuit, 3);
        circuit.WouldHaveRefused.ShouldBe(5);
    }

    private static void Enter(CircuitBreaker circuit, int calls)
    {
        for (var call = 0; call < calls; call++)
        {
            circuit.TryEnter(out _, out _).ShouldBeTrue();
        }
    }
}
