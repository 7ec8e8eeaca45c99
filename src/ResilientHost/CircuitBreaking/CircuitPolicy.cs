using ResilientHost.Callers;
using ResilientHost.Hosting;

namespace ResilientHost.CircuitBreaking;

/// <summary>What a breaker goes by: valid options in timestamp ticks. Equal options make equal policies.</summary>
/// <remarks>Immutable, and shared by all partitions of a keyed breaker.</remarks>
internal sealed record CircuitPolicy
{
    private static readonly TimeSpan CoarselyTimedFrom = TimeSpan.FromMilliseconds(250);

    public required CircuitMode Mode { get; init; }

    /// <summary>Whether a state that refuses does.</summary>
    public bool IsEnforcing => Mode is CircuitMode.Enforce or CircuitMode.ForcedOpen;

    /// <summary>Above 1 (never reached) when the trigger is off.</summary>
    public required double FailureRatio { get; init; }

    /// <summary>Above 1 (never reached) when the trigger is off.</summary>
    public required double SlowCallRatio { get; init; }

    public required int MinimumThroughput { get; init; }

    public required long SamplingTicks { get; init; }

    public required int WindowSize { get; init; }

    /// <summary><see cref="int.MaxValue"/> when the trigger is off.</summary>
    public required int ConsecutiveFailures { get; init; }

    /// <summary><see cref="long.MaxValue"/> when calls are not measured.</summary>
    public required long SlowCallTicks { get; init; }

    /// <summary>
    /// Whether calls are timed by the exact clock. Its two readings cost more than all else of a call; the cheap one is a kernel tick
    /// behind at most (10 ms, usually 4), which does not matter for a threshold far above that.
    /// </summary>
    public required bool NeedsExactClock { get; init; }

    public required TimeSpan BreakDuration { get; init; }

    public required TimeSpan MaxBreakDuration { get; init; }

    public required double BreakBackoff { get; init; }

    public required double BreakJitter { get; init; }

    public required int HalfOpenProbes { get; init; }

    public required long HalfOpenMaxTicks { get; init; }

    public required int MaxPartitions { get; init; }

    /// <summary>Failed probes that re-open the circuit; <see cref="int.MaxValue"/> when failures are no trigger.</summary>
    public required int ProbeFailureLimit { get; init; }

    /// <summary>Slow probes that re-open the circuit; <see cref="int.MaxValue"/> when slowness is no trigger.</summary>
    public required int ProbeSlowLimit { get; init; }

    /// <summary>How callers are told apart that have a circuit each; <see langword="null"/>: one circuit for all.</summary>
    public CallerSelector? Partition { get; init; }

    /// <summary>Callers that must have had trouble before the window may open the circuit; 0 or 1: no matter how many.</summary>
    public int MinimumDistinctCallers { get; init; }

    /// <summary>Whether the instance is not ready while the circuit is open.</summary>
    public bool AffectsReadiness { get; init; }

    /// <summary>Who counts as one caller for <see cref="MinimumDistinctCallers"/>.</summary>
    public CallerSelector Caller { get; init; } = CallerSelector.Default;

    /// <summary>Whether it matters who had trouble.</summary>
    public bool CountsCallers => MinimumDistinctCallers > 1;

    public bool MeasuresCalls => SlowCallTicks != long.MaxValue;

    private bool HasRatioTrigger => FailureRatio <= 1 || SlowCallRatio <= 1;

    /// <summary>Copies and checks <paramref name="options"/>.</summary>
    /// <exception cref="Microsoft.Extensions.Options.OptionsValidationException">There is an error.</exception>
    public static CircuitPolicy Create(string name, CircuitBreakerOptions options, MonotonicClock clock)
    {
        CircuitBreakerOptionsValidator.ThrowIfInvalid(name, options);
        return new CircuitPolicy
        {
            Mode = options.Mode,
            FailureRatio = options.FailureRatio ?? double.PositiveInfinity,
            SlowCallRatio = options.SlowCallDuration is null ? double.PositiveInfinity : options.SlowCallRatio,
            MinimumThroughput = options.WindowSize > 0 ? Math.Min(options.MinimumThroughput, options.WindowSize) : options.MinimumThroughput,
            SamplingTicks = Math.Max(clock.ToTimestampTicks(options.SamplingDuration), TimeWindow.BucketCount),
            WindowSize = options.WindowSize,
            ConsecutiveFailures = options.ConsecutiveFailures == 0 ? int.MaxValue : options.ConsecutiveFailures,
            SlowCallTicks = options.SlowCallDuration is { } slow ? Math.Max(clock.ToTimestampTicks(slow), 1) : long.MaxValue,
            NeedsExactClock = options.SlowCallDuration < CoarselyTimedFrom,
            BreakDuration = options.BreakDuration,
            MaxBreakDuration = options.MaxBreakDuration,
            BreakBackoff = options.BreakBackoff,
            BreakJitter = options.BreakJitter,
            HalfOpenProbes = options.HalfOpenProbes,
            HalfOpenMaxTicks = Math.Max(clock.ToTimestampTicks(options.HalfOpenMaxDuration), 1),
            MaxPartitions = options.MaxPartitions,
            Partition = CallerSelector.From(options.PartitionBy, options.PartitionKey),
            MinimumDistinctCallers = options.MinimumDistinctCallers,
            AffectsReadiness = options.AffectsReadiness,
            Caller = CallerSelector.From(options.CallerBy, code: null) ?? CallerSelector.Default,

            // A breaker that trips on a row of failures alone has no ratio to judge probes by: one failed probe is the row going on.
            ProbeFailureLimit = options.FailureRatio is { } ratio ? Reaching(ratio, options.HalfOpenProbes)
                : options.ConsecutiveFailures > 0 ? 1
                : int.MaxValue,
            ProbeSlowLimit = options.SlowCallDuration is null ? int.MaxValue : Reaching(options.SlowCallRatio, options.HalfOpenProbes),
        };
    }

    /// <summary>Whether a window made for <paramref name="other"/> serves this policy too.</summary>
    public bool CountsLike(CircuitPolicy other) =>
        WindowSize == other.WindowSize && (WindowSize > 0 || SamplingTicks == other.SamplingTicks);

    public CircuitWindow NewWindow(long now) => WindowSize > 0 ? new CountWindow(WindowSize) : new TimeWindow(now);

    /// <summary>The ratio trigger that the window pulls, if any.</summary>
    /// <param name="counts">What the window holds.</param>
    /// <param name="callers">Who had trouble.</param>
    /// <param name="first">The first place in the window.</param>
    // Quotients are compared, not products: 7 / 100.0 is the double nearest to 0.07, while 0.07 * 100 is above 7.
    public CircuitTransitionCause? Judge(in WindowCounts counts, in CallerTrails callers, long first) =>
        counts.Calls < MinimumThroughput ? null
        : counts.Failures / (double)counts.Calls >= FailureRatio && callers.EnoughFailed(this, first) ? CircuitTransitionCause.FailureRatio
        : counts.SlowCalls / (double)counts.Calls >= SlowCallRatio && callers.EnoughWereSlow(this, first) ? CircuitTransitionCause.SlowCallRatio
        : null;

    /// <summary>Whether no number of further quick successes can trip a window that did not trip with these counts: they bring no caller in trouble either.</summary>
    public bool IsSettled(in WindowCounts counts) =>
        !HasRatioTrigger
        || counts.Calls >= MinimumThroughput
        || (counts.Failures / (double)MinimumThroughput < FailureRatio && counts.SlowCalls / (double)MinimumThroughput < SlowCallRatio);

    /// <summary>How long to break after so many re-opens: exponential backoff, uniform jitter, then the cap.</summary>
    /// <param name="reopens">Re-opens since the circuit was last closed.</param>
    /// <param name="uniform">A random number from 0 to below 1.</param>
    /// <param name="retryAfter">What the upstream asked for; may lengthen the break within the cap.</param>
    public TimeSpan BreakFor(int reopens, double uniform, TimeSpan? retryAfter)
    {
        // Far beyond the cap the power becomes infinite; the jitter factor is above 0, so the cap still decides.
        var ticks = BreakDuration.Ticks * Math.Pow(BreakBackoff, reopens) * (1 + (BreakJitter * ((2 * uniform) - 1)));
        var jittered = ticks >= MaxBreakDuration.Ticks ? MaxBreakDuration : TimeSpan.FromTicks(Math.Max(1, (long)Math.Round(ticks)));
        return retryAfter is { } asked && asked > jittered
            ? (asked < MaxBreakDuration ? asked : MaxBreakDuration)
            : jittered;
    }

    private static int Reaching(double ratio, int probes)
    {
        var count = 1;
        while (count / (double)probes < ratio)
        {
            count++;
        }

        return count;
    }
}
