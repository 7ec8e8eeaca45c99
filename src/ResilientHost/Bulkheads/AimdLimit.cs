namespace ResilientHost.Bulkheads;

/// <summary>
/// Additive increase, multiplicative decrease: one more after a success while at least half of the limit is in use, a tenth less (at least one) after a failure. After D. Chiu and R. Jain,
/// "Analysis of the increase and decrease algorithms for congestion avoidance in computer networks" (1989); numbers of <c>AIMDLimit</c> in Netflix concurrency-limits.
/// </summary>
/// <remarks>
/// Unlike there, a failure of a call that began before the last decrease does not decrease again: a hundred calls that one outage fails are one piece of news, as the losses of a round trip are to TCP.
/// The same rule for successes would not be fair: where failures are fast, the slower successes would always have begun before the last of them.
/// </remarks>
internal sealed class AimdLimit : LearnedLimit
{
    private const double Backoff = 0.9;

    private long _lastDecrease = long.MinValue;

    public AimdLimit(int initial)
        : base(AdaptiveLimit.Aimd) => Value = initial;

    public override bool AsksForUse(in EndedCall call) => call.Outcome == CallOutcome.Succeeded && Value < Max;

    public override bool Observe(in EndedCall call, bool halfInUse) =>
        call.Outcome == CallOutcome.Failed ? Value > Min && call.Start >= Volatile.Read(ref _lastDecrease) : halfInUse && Value < Max;

    public override bool Decide(in EndedCall call, bool halfInUse)
    {
        if (!Observe(call, halfInUse))
        {
            return false;
        }

        if (call.Outcome == CallOutcome.Failed)
        {
            Volatile.Write(ref _lastDecrease, call.End);
            Value = Math.Max(Min, Math.Min(Value - 1, (int)(Value * Backoff)));
        }
        else
        {
            Value++;
        }

        return true;
    }
}
