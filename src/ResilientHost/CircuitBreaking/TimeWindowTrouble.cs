namespace ResilientHost.CircuitBreaking;

/// <summary>The part of a <see cref="TimeWindow"/> that a healthy circuit never needs: failures, slow calls, the row of failures.</summary>
internal sealed class TimeWindowTrouble
{
    private const int BucketBits = 28;

    private TimeBuckets _failures;
    private TimeBuckets _slowCalls;
    private long _version = 1;
    private long _settled;
    private CallerTrails _callers;
    private int _row;

    public int Row
    {
        get => Volatile.Read(ref _row);
        set => Volatile.Write(ref _row, value);
    }

    /// <summary>Who failed and who was slow, by bucket.</summary>
    public ref readonly CallerTrails Callers => ref _callers;

    public CallerTrail? FailingCallers
    {
        get => _callers.Failing;
        set => _callers.Failing = value;
    }

    /// <summary>Grows with every failure and slow call, and when thresholds change.</summary>
    public long Version => Interlocked.Read(ref _version);

    /// <summary>Counts a failure, a slow call or both, and makes it known to successes that end at the same time.</summary>
    /// <returns>Whether the row of failures that this one belongs to pulls its trigger.</returns>
    public bool Add(CircuitPolicy policy, long bucket, bool failed, bool slow, int caller)
    {
        var place = (int)(bucket % TimeWindow.BucketCount);
        if (slow)
        {
            TimeBuckets.Count(ref _slowCalls[place], bucket);
            _callers.AddSlow(policy, caller, bucket);
        }

        var rowTrips = false;
        if (failed)
        {
            TimeBuckets.Count(ref _failures[place], bucket);
            rowTrips = _callers.AddFailure(policy, caller, bucket, ref _row);
        }
        else
        {
            EndRow();
        }

        Unsettle();
        return rowTrips;
    }

    public void ForgetCallers() => _callers.Forget();

    public long Failures(long bucket) => TimeBuckets.Sum(_failures, bucket);

    public long SlowCalls(long bucket) => TimeBuckets.Sum(_slowCalls, bucket);

    public void EndRow()
    {
        if (Volatile.Read(ref _row) != 0)
        {
            Volatile.Write(ref _row, 0);
        }
    }

    /// <summary>Whether successes in this bucket cannot trip the circuit: see <see cref="CircuitPolicy.IsSettled"/>.</summary>
    public bool IsSettled(long bucket) => Volatile.Read(ref _settled) == Mark(Volatile.Read(ref _version), bucket);

    /// <summary>
    /// Remembers a sum that left nothing to decide. The version was read before the sum, so a failure in between, or a late
    /// writer with an old sum, leaves a mark that fits no later version and only costs another look.
    /// </summary>
    public void Settle(long version, long bucket) => Volatile.Write(ref _settled, Mark(version, bucket));

    public void Unsettle() => Interlocked.Increment(ref _version);

    private static long Mark(long version, long bucket) => (version << BucketBits) | (bucket & ((1L << BucketBits) - 1));
}
