using System.Runtime.CompilerServices;

namespace ResilientHost.CircuitBreaking;

/// <summary>Outcomes of the last <see cref="CircuitBreakerOptions.SamplingDuration"/>, in ten buckets from the window's creation on.</summary>
/// <remarks>
/// One word counts the calls of one bucket. A second bucket that matters, a second thread at the same moment or a failure makes room for all that a window may need
/// (<see cref="TimeWindowCounts"/>): nearly all of a keyed breaker's callers have come and gone before that.
/// </remarks>
internal sealed class TimeWindow(long origin) : CircuitWindow
{
    public const int BucketCount = 10;

    // Goes on to be part of the sums when the others have been made: nothing is moved, so nothing gets lost between threads.
    private long _first;
    private TimeWindowCounts? _counts;

    public override int Row
    {
        get => Trouble?.Row ?? 0;
        set
        {
            if (value != 0 || Trouble is not null)
            {
                Counts().MakeTrouble().Row = value;
            }
        }
    }

    public override CallerTrail? FailingCallers
    {
        get => Trouble?.FailingCallers;
        set
        {
            if (value is not null || Trouble is not null)
            {
                Counts().MakeTrouble().FailingCallers = value;
            }
        }
    }

    private TimeWindowTrouble? Trouble => Volatile.Read(ref _counts)?.Trouble;

    public override CircuitTransitionCause? AddSuccess(CircuitPolicy policy, long now)
    {
        long bucket;
        if (Volatile.Read(ref _counts) is { } counts)
        {
            bucket = counts.BucketAt(policy, now - origin);
            counts.Count(bucket);
        }
        else
        {
            bucket = BucketAt(policy, now);
            counts = CountFirst(bucket);
            if (counts is null)
            {
                return null;
            }
        }

        // The interlocked count above comes before this read, and a failing thread makes itself known before it sums up:
        // of a failure and a success that end together at least one sees both.
        var trouble = counts.Trouble;
        if (trouble is null)
        {
            return null;
        }

        trouble.EndRow();
        return trouble.IsSettled(bucket) ? null : Judge(policy, counts, trouble, bucket);
    }

    public override CircuitTransitionCause? AddTrouble(CircuitPolicy policy, bool failed, bool slow, long now, int caller = 0)
    {
        var counts = Counts();
        var bucket = counts.BucketAt(policy, now - origin);

        // The call before the failure: readers take them in the other order and never see more failures than calls.
        counts.Count(bucket);
        var trouble = counts.MakeTrouble();
        var rowTrips = trouble.Add(policy, bucket, failed, slow, caller);
        return Judge(policy, counts, trouble, bucket) ?? (rowTrips ? CircuitTransitionCause.ConsecutiveFailures : null);
    }

    public override WindowCounts Read(CircuitPolicy policy, long now) => Sum(Volatile.Read(ref _counts), BucketAt(policy, now));

    public override void ForgetCallers() => Trouble?.ForgetCallers();

    public override void Reconsider() => Trouble?.Unsettle();

    private long BucketAt(CircuitPolicy policy, long now) => TimeBuckets.At(policy, now - origin);

    /// <summary>Counts a call while no more than one bucket has been needed.</summary>
    /// <returns>What else there is to look at; <see langword="null"/> when nothing.</returns>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private TimeWindowCounts? CountFirst(long bucket)
    {
        if (!TimeBuckets.TryCountAlone(ref _first, bucket))
        {
            Counts().Count(bucket);
        }

        return Volatile.Read(ref _counts);
    }

    private TimeWindowCounts Counts()
    {
        if (Volatile.Read(ref _counts) is { } known)
        {
            return known;
        }

        var made = new TimeWindowCounts();
        return Interlocked.CompareExchange(ref _counts, made, null) ?? made;
    }

    private CircuitTransitionCause? Judge(CircuitPolicy policy, TimeWindowCounts all, TimeWindowTrouble trouble, long bucket)
    {
        var version = trouble.Version;
        var counts = Sum(all, bucket);
        var cause = policy.Judge(counts, trouble.Callers, bucket - BucketCount + 1);
        if (cause is null && policy.IsSettled(counts))
        {
            trouble.Settle(version, bucket);
        }

        return cause;
    }

    // Failures before calls: see AddTrouble.
    private WindowCounts Sum(TimeWindowCounts? counts, long bucket)
    {
        if (counts is null)
        {
            return new WindowCounts(TimeBuckets.Sum(new ReadOnlySpan<long>(in _first), bucket), 0, 0);
        }

        var (calls, failures, slowCalls) = counts.Sum(bucket);
        return new WindowCounts(calls + TimeBuckets.Sum(new ReadOnlySpan<long>(in _first), bucket), failures, slowCalls);
    }
}
