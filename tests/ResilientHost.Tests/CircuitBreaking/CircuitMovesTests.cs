using ResilientHost.CircuitBreaking;

namespace ResilientHost.Tests.CircuitBreaking;

public sealed class CircuitMovesTests
{
    [Fact]
    public void Check_EveryPair_IsLegalOrThrowsWithBothNames()
    {
        var legal = new[]
        {
            "Closed>Open", "Closed>Isolated", "Open>HalfOpen", "Open>Closed", "Open>Isolated",
            "HalfOpen>Open", "HalfOpen>Closed", "HalfOpen>Isolated", "Isolated>Closed", "Isolated>Open",
        };
        foreach (var from in Enum.GetValues<CircuitState>())
        {
            foreach (var to in Enum.GetValues<CircuitState>())
            {
                if (legal.Contains($"{from}>{to}"))
                {
                    CircuitMoves.Check(from, to);
                }
                else
                {
                    Should.Throw<InvalidOperationException>(() => CircuitMoves.Check(from, to))
                        .Message.ShouldBe($"A circuit cannot go from {from} to {to}.");
                }
            }
        }
    }

    [Theory]
    [InlineData(CircuitState.Closed, "closed")]
    [InlineData(CircuitState.Open, "open")]
    [InlineData(CircuitState.HalfOpen, "half_open")]
    [InlineData(CircuitState.Isolated, "isolated")]
    public void Of_State_IsSnakeCase(CircuitState state, string text) => CircuitNames.Of(state).ShouldBe(text);

    [Theory]
    [InlineData(CircuitTransitionCause.FailureRatio, "failure_ratio")]
    [InlineData(CircuitTransitionCause.SlowCallRatio, "slow_call_ratio")]
    [InlineData(CircuitTransitionCause.ConsecutiveFailures, "consecutive_failures")]
    [InlineData(CircuitTransitionCause.BreakElapsed, "break_elapsed")]
    [InlineData(CircuitTransitionCause.ProbesSucceeded, "probes_succeeded")]
    [InlineData(CircuitTransitionCause.ProbesFailed, "probes_failed")]
    [InlineData(CircuitTransitionCause.ProbesTimedOut, "probes_timed_out")]
    [InlineData(CircuitTransitionCause.Manual, "manual")]
    [InlineData(CircuitTransitionCause.Shared, "shared")]
    [InlineData(CircuitTransitionCause.CertificateFault, "certificate_fault")]
    public void Of_Cause_IsSnakeCase(CircuitTransitionCause cause, string text) => CircuitNames.Of(cause).ShouldBe(text);
}
