using System.Runtime.InteropServices;
using ResilientHost.Hosting;

namespace ResilientHost.Bulkheads;

/// <summary>A call that has left a bulkhead, dated in timestamps.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct EndedCall(long Start, long End, CallOutcome Outcome)
{
    public long Latency => End - Start;
}

/// <summary>A limit that learns from how calls go. Pure: time comes with the calls, and nothing is told to anybody.</summary>
/// <remarks>
/// <see cref="AsksForUse"/> and <see cref="Observe"/> may be called by any number of threads at a time; <see cref="Decide"/> and <see cref="Bound"/> need the bulkhead's lock.
/// Ignored calls are not shown to it.
/// </remarks>
internal abstract class LearnedLimit(AdaptiveLimit kind)
{
    private int _value;

    public AdaptiveLimit Kind { get; } = kind;

    /// <summary>Calls that may be inside at present.</summary>
    public int Value
    {
        get => Volatile.Read(ref _value);
        protected set => Volatile.Write(ref _value, value);
    }

    protected int Min { get; private set; } = 1;

    protected int Max { get; private set; } = int.MaxValue;

    /// <summary>What <paramref name="policy"/> asks for: what <paramref name="previous"/> has learned, within the new bounds, if it is the same algorithm; <see langword="null"/> for a fixed limit.</summary>
    public static LearnedLimit? For(BulkheadPolicy policy, LearnedLimit? previous, MonotonicClock clock)
    {
        if (policy.Adaptive == AdaptiveLimit.None)
        {
            return null;
        }

        var limit = previous?.Kind == policy.Adaptive ? previous : policy.Adaptive == AdaptiveLimit.Aimd
            ? new AimdLimit(policy.InitialLimit)
            : new Gradient2Limit(policy.InitialLimit, clock.Timestamp(), clock.Frequency);
        limit.Bound(policy.MinLimit, policy.Limit);
        return limit;
    }

    /// <summary>Keeps the limit between these from now on.</summary>
    public virtual void Bound(int min, int max)
    {
        Min = min;
        Max = max;
        Value = Math.Clamp(Value, min, max);
    }

    /// <summary>Whether it matters now how much of the limit is in use: to find out takes a look at the permits.</summary>
    public abstract bool AsksForUse(in EndedCall call);

    /// <summary>Takes note of a call.</summary>
    /// <param name="call">The call.</param>
    /// <param name="halfInUse">At least half of the limit was in use when the call left, itself included; meaningless unless asked for.</param>
    /// <returns>Whether there may be something to decide.</returns>
    public abstract bool Observe(in EndedCall call, bool halfInUse);

    /// <summary>Decides after <see cref="Observe"/>, as things stand by now.</summary>
    /// <returns>Whether <see cref="Value"/> has changed.</returns>
    public abstract bool Decide(in EndedCall call, bool halfInUse);
}
