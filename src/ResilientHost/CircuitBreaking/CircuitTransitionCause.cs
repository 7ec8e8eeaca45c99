namespace ResilientHost;

/// <summary>Why a circuit changed its state.</summary>
public enum CircuitTransitionCause
{
    /// <summary>The share of failed calls in the window reached <see cref="CircuitBreakerOptions.FailureRatio"/>.</summary>
    FailureRatio,

    /// <summary>The share of slow calls in the window reached <see cref="CircuitBreakerOptions.SlowCallRatio"/>.</summary>
    SlowCallRatio,

    /// <summary>The row of failures reached <see cref="CircuitBreakerOptions.ConsecutiveFailures"/>.</summary>
    ConsecutiveFailures,

    /// <summary>The break is over: probes may pass.</summary>
    BreakElapsed,

    /// <summary>Enough probes succeeded.</summary>
    ProbesSucceeded,

    /// <summary>Too many probes failed or were slow.</summary>
    ProbesFailed,

    /// <summary>A probe did not return within <see cref="CircuitBreakerOptions.HalfOpenMaxDuration"/>.</summary>
    ProbesTimedOut,

    /// <summary>A person or the configuration said so.</summary>
    Manual,

    /// <summary>Another replica said so.</summary>
    Shared,

    /// <summary>The certificate of the authority that the circuit is for was not accepted: no further call would change that.</summary>
    CertificateFault,
}
