using Microsoft.AspNetCore.Http;
using ResilientHost.Hosting;

namespace ResilientHost;

/// <summary>How a <see cref="CircuitBreaker"/> judges and for how long it breaks.</summary>
/// <remarks>
/// Read once, when a breaker is made or <see cref="CircuitBreaker.Apply(CircuitBreakerOptions)"/> is called; later changes of the object have no effect.
/// All errors are reported at once as <see cref="Microsoft.Extensions.Options.OptionsValidationException"/>. Not thread-safe.
/// </remarks>
public sealed class CircuitBreakerOptions : ICopiedOptions
{
    /// <summary>What the breaker does with what it knows.</summary>
    /// <value>Default <see cref="CircuitMode.Enforce"/>.</value>
    public CircuitMode Mode
    {
        get;
        set
        {
            field = value;
            ModeIsSet = true;
        }
    } = CircuitMode.Enforce;

    /// <summary>
    /// Whether someone chose the mode: the automatic breakers of endpoints enforce only when asked to. The initializer of
    /// <see cref="Mode"/> does not pass through its setter.
    /// </summary>
    internal bool ModeIsSet { get; set; }

    /// <summary>Share of failed calls in the window that trips the circuit, inclusive. The same share of the probes re-opens it.</summary>
    /// <value>Default 0.5. Above 0, at most 1; null switches the trigger off.</value>
    public double? FailureRatio { get; set; } = 0.5;

    /// <summary>Calls the window must hold before a ratio can trip the circuit.</summary>
    /// <value>Default 20 calls. At least 1. A window of the last N calls (<see cref="WindowSize"/>) is full with N: a larger minimum counts as N, as in resilience4j.</value>
    public int MinimumThroughput { get; set; } = 20;

    /// <summary>Width of the sliding window, in tenths: an outcome leaves when its tenth does, at the latest at this age.</summary>
    /// <value>Default 30 s. From 10 ms to 1 day. Of no effect on counting when <see cref="WindowSize"/> is set.</value>
    public TimeSpan SamplingDuration { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Judge by the last so many calls instead of by time.</summary>
    /// <value>Default 0: by time. At most 1,000,000 calls (one byte each).</value>
    public int WindowSize { get; set; }

    /// <summary>Failures in a row that trip the circuit, whatever the window holds.</summary>
    /// <value>Default 0: off. In calls, not negative.</value>
    public int ConsecutiveFailures { get; set; }

    /// <summary>From what duration on a call is slow, inclusive; measured from its permit.</summary>
    /// <value>Default null: off. Above zero.</value>
    /// <remarks>
    /// From 250 ms on, calls are timed by a clock that ticks with the kernel (4 to 10 ms; Linux, system time), because reading the exact one would cost
    /// more than the breaker itself. Below, and with any other time provider, timing is exact.
    /// </remarks>
    public TimeSpan? SlowCallDuration { get; set; }

    /// <summary>Share of slow calls in the window that trips the circuit, inclusive. The same share of the probes re-opens it.</summary>
    /// <value>Default 1. Above 0, at most 1. Of no effect without <see cref="SlowCallDuration"/>.</value>
    public double SlowCallRatio { get; set; } = 1.0;

    /// <summary>The first break. Every re-open multiplies it by <see cref="BreakBackoff"/>.</summary>
    /// <value>Default 5 s. Above zero, at most 1 day.</value>
    public TimeSpan BreakDuration { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>The longest break, backoff, jitter and an upstream's Retry-After included.</summary>
    /// <value>Default 2 min. From <see cref="BreakDuration"/> to 1 day.</value>
    public TimeSpan MaxBreakDuration { get; set; } = TimeSpan.FromMinutes(2);

    /// <summary>What a break grows by with every re-open from half-open.</summary>
    /// <value>Default 2. From 1 (no growth) to 100.</value>
    public double BreakBackoff { get; set; } = 2.0;

    /// <summary>Share of the break that is added or taken away at random, uniformly, so that replicas do not probe in step.</summary>
    /// <value>Default 0.1. From 0, below 1.</value>
    public double BreakJitter { get; set; } = 0.1;

    /// <summary>Probes that decide over a half-open circuit; as many may be in flight.</summary>
    /// <value>Default 3 calls. From 1 to 1,000.</value>
    public int HalfOpenProbes { get; set; } = 3;

    /// <summary>How long the oldest probe in flight may take before the circuit opens again.</summary>
    /// <value>Default 10 s. Above zero, at most 1 day.</value>
    public TimeSpan HalfOpenMaxDuration { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Most breakers that <see cref="CircuitBreakerPartitions{TKey}"/> keeps at a time, the shared one not counted.</summary>
    /// <value>Default 10,000. From 1 to 1,000,000.</value>
    public int MaxPartitions { get; set; } = 10_000;

    /// <summary>Whom requests are told apart by; each caller then has a circuit of its own.</summary>
    /// <value>
    /// <c>User</c>, <c>Claim:type</c>, <c>Header:name</c> (of trusted callers; others count by their address), <c>RouteValue:name</c>, <c>Host</c> or <c>RemoteAddress</c>; default
    /// <see langword="null"/>: one circuit for all. For inbound requests.
    /// </value>
    public string? PartitionBy { get; set; }

    /// <summary>As <see cref="PartitionBy"/>, by code.</summary>
    /// <value>
    /// Gives the caller's key, for instance a tenant's name; default <see langword="null"/>. Requests for which it returns <see langword="null"/> or throws share one circuit. Must be quick and thread-safe.
    /// Not together with <see cref="PartitionBy"/>.
    /// </value>
    public Func<HttpContext, string?>? PartitionKey { get; set; }

    /// <summary>How many callers must have failed or been slow in the window before it may open the circuit: one caller's poison requests then cannot close a door for all.</summary>
    /// <value>
    /// Default 0, as 1: no matter how many. At most 64, and at most <see cref="WindowSize"/> where that is set. Not above 1 where <see cref="PartitionBy"/> gives each of these callers a circuit of its own.
    /// </value>
    /// <remarks>
    /// A ratio counts the callers of failed or of slow calls in the window, a row of failures those of the row; when the last caller that was missing comes, the circuit opens then. Calls that name no caller are
    /// one caller's, those of Polly pipelines among them. Probes decide whoever sends them. Only the latest so many callers are kept, as hashes, which is exact for this question.
    /// </remarks>
    public int MinimumDistinctCallers { get; set; }

    /// <summary>Whether an open circuit takes this instance out of rotation: readiness is unhealthy then, not just degraded.</summary>
    /// <value>
    /// Default <see langword="false"/>: a dependency that fails for one replica fails for all, and with every replica out of rotation nobody is served at all. Only for what this instance
    /// alone can lose, such as a local disk. In <see cref="CircuitMode.Shadow"/> and <see cref="CircuitMode.Disabled"/> it does nothing.
    /// </value>
    public bool AffectsReadiness { get; set; }

    /// <summary>Who counts as one caller for <see cref="MinimumDistinctCallers"/>.</summary>
    /// <value>As <see cref="PartitionBy"/>; default <see langword="null"/>: the user where there is one, else the remote address.</value>
    public string? CallerBy { get; set; }

    object ICopiedOptions.Copy() => MemberwiseClone();
}
