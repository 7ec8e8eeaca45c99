using System.Runtime.CompilerServices;

namespace ResilientHost.CircuitBreaking;

/// <summary>Outcomes of the last <see cref="CircuitBreakerOptions.SamplingDuration"/>, in ten buckets from the window's creation on.</summary>
/// <remarks>
/// Calls are counted in one set of words until two threads meet there; from then on each core has its own, a few cache lines
/// apart (the idea of Doug Lea's Striped64). Failures and slow calls are rare and have one set, made on first use.
/// </remarks>
internal sealed class TimeWindow(long origin) : CircuitWindow
{
    public const int BucketCount = 10;

    // 192 bytes: the 80 in use of two neighbours never share a line of 64, however the array lies.
    private const int StripeLength = 24;

    // Nothing is counted beside the array's length, which every core reads before each count.
    private const int FirstStripe = 16;
    private static readonly int StripeMask = (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)Math.Min(Environment.ProcessorCount, 64)) - 1;

    private TimeBuckets _calls;
    private long[]? _stripes;
    private TimeWindowTrouble? _trouble;

    public override int Row
    {
        get => Volatile.Read(ref _trouble)?.Row ?? 0;
        set
        {
            if (value != 0 || _trouble is not null)
            {
                Trouble().Row = value;
            }
        }
    }

    public override CallerTrail? FailingCallers
    {
        get => Volatile.Read(ref _trouble)?.FailingCallers;
        set
        {
            if (value is not null || _trouble is not null)
            {
                Trouble().FailingCallers = value;
            }
        }
    }

    public override CircuitTransitionCause? AddSuccess(CircuitPolicy policy, long now)
    {
        var bucket = BucketAt(policy, now);
        CountCall(bucket);

        // The interlocked count above comes before this read, and a failing thread makes itself known before it sums up:
        // of a failure and a success that end together at least one sees both.
        var trouble = Volatile.Read(ref _trouble);
        if (trouble is null)
        {
            return null;
        }

        trouble.EndRow();
        return trouble.IsSettled(bucket) ? null : Judge(policy, trouble, bucket);
    }

    public override CircuitTransitionCause? AddTrouble(CircuitPolicy policy, bool failed, bool slow, long now, int caller = 0)
    {
        var bucket = BucketAt(policy, now);

        // The call before the failure: readers take them in the other order and never see more failures than calls.
        CountCall(bucket);
        var trouble = Trouble();
        var rowTrips = trouble.Add(policy, bucket, failed, slow, caller);
        return Judge(policy, trouble, bucket) ?? (rowTrips ? CircuitTransitionCause.ConsecutiveFailures : null);
    }

    public override WindowCounts Read(CircuitPolicy policy, long now) =>
        Sum(Volatile.Read(ref _trouble), BucketAt(policy, now));

    public override void ForgetCallers() => Volatile.Read(ref _trouble)?.ForgetCallers();

    public override void Reconsider() => Volatile.Read(ref _trouble)?.Unsettle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private long BucketAt(CircuitPolicy policy, long now) =>
        (long)((ulong)Math.Max(now - origin, 0) * BucketCount / (ulong)policy.SamplingTicks);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void CountCall(long bucket)
    {
        var place = (int)((ulong)bucket % BucketCount);
        if (_stripes is { } stripes)
        {
            TimeBuckets.Count(ref stripes[FirstStripe + ((Thread.GetCurrentProcessorId() & StripeMask) * StripeLength) + place], bucket);
        }
        else if (!TimeBuckets.TryCount(ref _calls[place], bucket))
        {
            CountContended(place, bucket);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void CountContended(int place, long bucket)
    {
        if (StripeMask == 0)
        {
            TimeBuckets.Count(ref _calls[place], bucket);
            return;
        }

        Interlocked.CompareExchange(ref _stripes, new long[FirstStripe + ((StripeMask + 1) * StripeLength)], null);
        CountCall(bucket);
    }

    private TimeWindowTrouble Trouble()
    {
        if (Volatile.Read(ref _trouble) is { } known)
        {
            return known;
        }

        var made = new TimeWindowTrouble();
        return Interlocked.CompareExchange(ref _trouble, made, null) ?? made;
    }

    private CircuitTransitionCause? Judge(CircuitPolicy policy, TimeWindowTrouble trouble, long bucket)
    {
        var version = trouble.Version;
        var counts = Sum(trouble, bucket);
        var cause = policy.Judge(counts, trouble.Callers, bucket - BucketCount + 1);
        if (cause is null && policy.IsSettled(counts))
        {
            trouble.Settle(version, bucket);
        }

        return cause;
    }

    private WindowCounts Sum(TimeWindowTrouble? trouble, long bucket)
    {
        var failures = trouble?.Failures(bucket) ?? 0;
        var slow = trouble?.SlowCalls(bucket) ?? 0;
        var calls = TimeBuckets.Sum(_calls, bucket);
        if (Volatile.Read(ref _stripes) is { } stripes)
        {
            for (var start = FirstStripe; start < stripes.Length; start += StripeLength)
            {
                calls += TimeBuckets.Sum(stripes.AsSpan(start, BucketCount), bucket);
            }
        }

        return new WindowCounts(calls, failures, slow);
    }
}
