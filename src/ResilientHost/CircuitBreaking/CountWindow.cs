using System.Runtime.CompilerServices;

namespace ResilientHost.CircuitBreaking;

/// <summary>The last N outcomes, exactly: a ring of bytes and the sum of what it holds.</summary>
internal sealed class CountWindow(int size) : CircuitWindow
{
    private const byte Failed = 1;
    private const byte Slow = 2;
    private const int SlowShift = 32;

    private readonly byte[] _ring = new byte[size];
    private long _recorded;

    // Failures below, slow calls above, so that one addition moves both.
    private long _sums;
    private CallerTrails _callers;
    private int _row;

    public override int Row
    {
        get => Volatile.Read(ref _row);
        set => Volatile.Write(ref _row, value);
    }

    public override CallerTrail? FailingCallers
    {
        get => _callers.Failing;
        set => _callers.Failing = value;
    }

    public override CircuitTransitionCause? AddSuccess(CircuitPolicy policy, long now)
    {
        EndRow();
        Add(0);
        return Judge(policy);
    }

    public override CircuitTransitionCause? AddTrouble(CircuitPolicy policy, bool failed, bool slow, long now, int caller = 0)
    {
        var number = Add((byte)((failed ? Failed : 0) | (slow ? Slow : 0)));
        if (slow)
        {
            _callers.AddSlow(policy, caller, number);
        }

        if (!failed)
        {
            EndRow();
            return Judge(policy);
        }

        var rowTrips = _callers.AddFailure(policy, caller, number, ref _row);
        return Judge(policy) ?? (rowTrips ? CircuitTransitionCause.ConsecutiveFailures : null);
    }

    public override WindowCounts Read(CircuitPolicy policy, long now)
    {
        // The sums before the number of calls, which writers raise first: failures never exceed calls.
        var sums = Interlocked.Read(ref _sums);
        var calls = Math.Min(Interlocked.Read(ref _recorded), _ring.Length);

        // A writer that laps another may take its weight away before it was added: below zero for that moment.
        return new WindowCounts(calls, Math.Max((int)sums, 0), Math.Max(sums >> SlowShift, 0));
    }

    public override void ForgetCallers() => _callers.Forget();

    public override void Reconsider()
    {
        // Every outcome is judged anyway: the sums are at hand.
    }

    /// <returns>The outcome's number, from 1.</returns>
    private long Add(byte outcome)
    {
        var number = Interlocked.Increment(ref _recorded);
        var evicted = Interlocked.Exchange(ref _ring[(number - 1) % _ring.Length], outcome);
        if (evicted != outcome)
        {
            Interlocked.Add(ref _sums, Weight(outcome) - Weight(evicted));
        }

        return number;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static long Weight(byte outcome) => (outcome & Failed) + ((long)(outcome >> 1) << SlowShift);

    private CircuitTransitionCause? Judge(CircuitPolicy policy) =>
        Volatile.Read(ref _sums) == 0 ? null : policy.Judge(Read(policy, 0), _callers, Interlocked.Read(ref _recorded) - _ring.Length + 1);

    private void EndRow()
    {
        if (_row != 0)
        {
            Volatile.Write(ref _row, 0);
        }
    }
}
