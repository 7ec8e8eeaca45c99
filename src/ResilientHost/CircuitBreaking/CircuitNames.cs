namespace ResilientHost.CircuitBreaking;

/// <summary>Tag values: closed sets in snake case.</summary>
internal static class CircuitNames
{
    /// <summary>Name of the breaker that endpoints beyond the cap share.</summary>
    public const string Other = "other";

    public static string Of(CircuitState state) => state switch
    {
        CircuitState.Closed => "closed",
        CircuitState.Open => "open",
        CircuitState.HalfOpen => "half_open",
        CircuitState.Isolated => "isolated",
        _ => throw new ArgumentOutOfRangeException(nameof(state), state, "Not a circuit state."),
    };

    /// <summary>How bad a state is: the worst of several stands for all.</summary>
    public static int RankOf(CircuitState state) => state switch
    {
        CircuitState.Isolated => 3,
        CircuitState.Open => 2,
        CircuitState.HalfOpen => 1,
        _ => 0,
    };

    public static string Of(CircuitTransitionCause cause) => cause switch
    {
        CircuitTransitionCause.FailureRatio => "failure_ratio",
        CircuitTransitionCause.SlowCallRatio => "slow_call_ratio",
        CircuitTransitionCause.ConsecutiveFailures => "consecutive_failures",
        CircuitTransitionCause.BreakElapsed => "break_elapsed",
        CircuitTransitionCause.ProbesSucceeded => "probes_succeeded",
        CircuitTransitionCause.ProbesFailed => "probes_failed",
        CircuitTransitionCause.ProbesTimedOut => "probes_timed_out",
        CircuitTransitionCause.Manual => "manual",
        CircuitTransitionCause.Shared => "shared",
        CircuitTransitionCause.CertificateFault => "certificate_fault",
        _ => throw new ArgumentOutOfRangeException(nameof(cause), cause, "Not a cause of a circuit transition."),
    };
}
