using Microsoft.AspNetCore.Http.Features;

namespace ResilientHost.Timeouts;

internal sealed partial class RequestTimeout
{
    private const long Unscheduled = long.MaxValue;

    // Timers take no more than 49 days; a longer wait is made in several.
    private static readonly TimeSpan MaxWait = TimeSpan.FromDays(1);

    // When the timer comes next. Later than some deadline only until Begin has looked.
    private long _scheduled = Unscheduled;

    private ITimer CreateTimer()
    {
        // Instances outlive the request that made them; its trace must not own what fires later.
        if (ExecutionContext.IsFlowSuppressed())
        {
            return Create();
        }

        using (ExecutionContext.SuppressFlow())
        {
            return Create();
        }

        ITimer Create() => _clock.Provider.CreateTimer(
            static state => ((RequestTimeout)state!).OnTimer(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    private void Arm()
    {
        lock (_gate)
        {
            ArmLocked(_clock.Timestamp());
        }
    }

    // Every change of the timer is made here, for the deadline that stands now: a callback that comes late for one request cannot
    // put the timer off that the next one has armed.
    private void ArmLocked(long now)
    {
        var deadline = Volatile.Read(ref _deadline);
        if (deadline is Closed or Claimed || deadline >= _scheduled)
        {
            return;
        }

        _scheduled = deadline;

        // Up to whole milliseconds, as the system's timers round down and would come before their time.
        var milliseconds = Math.Max(1, (_clock.Elapsed(now, deadline).Ticks + TimeSpan.TicksPerMillisecond - 1) / TimeSpan.TicksPerMillisecond);
        var wait = milliseconds > MaxWait.TotalMilliseconds ? MaxWait : TimeSpan.FromMilliseconds(milliseconds);
        _timer.Change(wait, Timeout.InfiniteTimeSpan);
    }

    private void OnTimer()
    {
        try
        {
            IOverrunListener? listener;
            CancellationTokenSource? source;
            bool isOverrun;
            lock (_gate)
            {
                var now = _clock.Timestamp();
                if (!TryClaimLocked(now))
                {
                    return;
                }

                isOverrun = _fired;
                if (!(isOverrun ? TryOverrunLocked() : TryFireLocked(now)))
                {
                    return;
                }

                listener = _listener;
                source = _source;
            }

            if (isOverrun)
            {
                // Told before it is done: whoever sees the connection break finds it counted.
                Contain(listener, static listener => listener.OnOverrun());
                AbortUnlessEnded();
            }
            else
            {
                // The grace runs already: what is called here may take its time.
                Contain(listener, static listener => listener.OnExpired());
                source?.Cancel();
            }
        }
        catch (Exception)
        {
            // An endpoint's cancellation callback that threw, or a server's feature. On a timer's thread it would end the process.
        }
    }

    private bool TryClaimLocked(long now)
    {
        _scheduled = Unscheduled;

        // The other half of the fence in Begin.
        Interlocked.MemoryBarrier();
        while (true)
        {
            var deadline = Volatile.Read(ref _deadline);
            if (deadline is Closed or Claimed or Disarmed)
            {
                return false;
            }

            if (now < deadline)
            {
                ArmLocked(now);
                return false;
            }

            // Fails when the request has just ended; the one that begins then is looked at in its turn. Where both have
            // the same deadline it is over for both.
            if (Interlocked.CompareExchange(ref _deadline, Claimed, deadline) == deadline)
            {
                return true;
            }
        }
    }

    // While the claim stands End waits for the gate, so the features are still this request's.
    private bool TryFireLocked(long now)
    {
        if (_response is { HasStarted: true } || IsClientGone() || _isDebugged())
        {
            Release(Disarmed);
            return false;
        }

        // Before the deadline of the grace can be seen: End takes the short way where it finds a deadline and nothing fired.
        _fired = true;
        if (!Release(now + _clock.ToTimestampTicks(_grace)))
        {
            _fired = false;
            return false;
        }

        ArmLocked(now);
        return true;
    }

    private bool TryOverrunLocked()
    {
        if (_response is { HasStarted: true } || _isDebugged())
        {
            Release(Disarmed);
            return false;
        }

        return _overran = Release(Disarmed);
    }

    // False: the request has ended meanwhile, and waits for the gate.
    private bool Release(long deadline) => Interlocked.CompareExchange(ref _deadline, deadline, Claimed) == Claimed;

    // A request whose caller has left ends as that, not as a timeout.
    private bool IsClientGone() => _lifetime is { RequestAborted.IsCancellationRequested: true };

    // The gate is held through Abort, as the server gives connection and stream to the next request once End has returned. Servers cancel
    // their token on another thread; one that does it here may run the rest of the request, End included, inside: the gate lets its own thread in.
    private void AbortUnlessEnded()
    {
        lock (_gate)
        {
            if (Volatile.Read(ref _deadline) != Closed && !_aborted)
            {
                _aborted = true;
                _lifetime?.Abort();
            }
        }
    }

    // Once an overrun has been told there is no answer any more, also when the endpoint returns before the connection is aborted.
    private void EndBesideTimer(IHttpRequestLifetimeFeature? lifetime)
    {
        lock (_gate)
        {
            if (!_overran || _aborted)
            {
                return;
            }

            _aborted = true;
        }

        try
        {
            lifetime?.Abort();
        }
        catch (Exception)
        {
            // The server's, which has nothing left to abort then; the request's own end must not fail by it.
        }
    }

    private static void Contain(IOverrunListener? listener, Action<IOverrunListener> tell)
    {
        try
        {
            if (listener is not null)
            {
                tell(listener);
            }
        }
        catch (Exception)
        {
            // Telling is less than doing: the token is cancelled and the connection aborted all the same.
        }
    }
}
