using ResilientHost.Hosting;

namespace ResilientHost.Outbound;

/// <summary>A source whose token ends an attempt at its deadline, and that is used again for the next one.</summary>
/// <remarks>
/// <see cref="Arm"/> and <see cref="TryEnd"/> belong to the attempt's own flow; the timer's callback may run beside them. An attempt that ends in time costs two interlocked writes: its deadline is a field,
/// the timer is armed only when it would come too late for it, and is not disarmed. So one that is not used again has to be disposed: its timer may be armed.
/// </remarks>
internal sealed class AttemptCancellation : CancellationTokenSource
{
    // What _deadline holds when it is no timestamp: there is none; it is over, and the timer's callback has begun to say so.
    private const long None = long.MaxValue;
    private const long Over = long.MinValue;

    private const long Unscheduled = long.MaxValue;

    // Timers take no more than 49 days; a longer wait is made in several.
    private static readonly TimeSpan MaxWait = TimeSpan.FromDays(1);

    private readonly Lock _gate = new();
    private readonly MonotonicClock _clock;
    private readonly ITimer _timer;
    private long _deadline = None;
    private long _scheduled = Unscheduled;

    public AttemptCancellation(MonotonicClock clock)
    {
        _clock = clock;
        _timer = CreateTimer();
    }

    /// <summary>Sets the deadline, or another one; never earlier than asked. One that was over stays over.</summary>
    /// <param name="deadline">As a timestamp; <see cref="long.MaxValue"/>: none.</param>
    public void Arm(long deadline)
    {
        // With a full fence: either the callback finds the deadline after it has unscheduled itself, or this finds the timer unscheduled.
        var known = Volatile.Read(ref _deadline);
        if (known != Over && Interlocked.CompareExchange(ref _deadline, deadline, known) == known && Volatile.Read(ref _scheduled) > deadline)
        {
            lock (_gate)
            {
                ScheduleLocked(_clock.Timestamp());
            }
        }
    }

    /// <summary>Ends the attempt's use; nobody but the timer may cancel it any more.</summary>
    /// <returns>Whether it can serve another attempt. If not, it is to be disposed.</returns>
    public bool TryEnd() => Interlocked.Exchange(ref _deadline, None) != Over && TryReset();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            Interlocked.Exchange(ref _deadline, None);
            _timer.Dispose();
        }

        base.Dispose(disposing);
    }

    private ITimer CreateTimer()
    {
        // It outlives the call that made it; what fires later is not that one's.
        if (ExecutionContext.IsFlowSuppressed())
        {
            return Create();
        }

        using (ExecutionContext.SuppressFlow())
        {
            return Create();
        }

        ITimer Create() => _clock.Provider.CreateTimer(static state => ((AttemptCancellation)state!).OnTimer(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    private void OnTimer()
    {
        lock (_gate)
        {
            _scheduled = Unscheduled;

            // The other half of the fence in Arm.
            Interlocked.MemoryBarrier();
            if (!TryClaimLocked(_clock.Timestamp()))
            {
                return;
            }
        }

        try
        {
            Cancel();
        }
        catch (Exception)
        {
            // Somebody's callback; or the attempt has ended at this moment and the source is disposed. On a timer's thread it would end the process.
        }
    }

    private bool TryClaimLocked(long now)
    {
        while (true)
        {
            var deadline = Volatile.Read(ref _deadline);
            if (deadline is None or Over)
            {
                return false;
            }

            if (now < deadline)
            {
                ScheduleLocked(now);
                return false;
            }

            // Fails when the attempt has just ended; the one that begins then is looked at in its turn. Where both have the same deadline it is over for both.
            if (Interlocked.CompareExchange(ref _deadline, Over, deadline) == deadline)
            {
                return true;
            }
        }
    }

    // Every change of the timer is made here, for the deadline that stands now: a callback that comes late for one attempt cannot put the timer off that the next one has armed.
    private void ScheduleLocked(long now)
    {
        var deadline = Volatile.Read(ref _deadline);
        if (deadline is None or Over || deadline >= _scheduled)
        {
            return;
        }

        _scheduled = deadline;

        // Up to whole milliseconds, as the system's timers round down and would come before their time.
        var milliseconds = Math.Max(1, Math.Ceiling(_clock.Elapsed(now, deadline).TotalMilliseconds));
        _timer.Change(milliseconds > MaxWait.TotalMilliseconds ? MaxWait : TimeSpan.FromMilliseconds(milliseconds), Timeout.InfiniteTimeSpan);
    }
}
