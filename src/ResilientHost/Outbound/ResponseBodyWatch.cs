using ResilientHost.Hosting;

namespace ResilientHost.Outbound;

/// <summary>Gives up the reads of one body that came too slowly. Thread-safe; one read at a time.</summary>
/// <remarks>Costs a reader nothing while its bytes are there. The first read that has to wait arms a timer, which later waits leave alone: it never comes too late for them, and arms itself again for what is left.</remarks>
/// <param name="clock">The clock and its timers.</param>
/// <param name="pace">What is slow.</param>
/// <param name="abort">Ends the transport beneath a read that does not heed its token; called at most once.</param>
internal sealed class ResponseBodyWatch(MonotonicClock clock, ResponseBodyPace pace, Action abort) : IDisposable
{
    /// <summary>How long a cancelled read may take to end before the transport is ended beneath it.</summary>
    public static readonly TimeSpan AbortDelay = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(1);

    private readonly Lock _gate = new();
    private CancellationTokenSource _source = new();
    private ITimer? _timer;
    private long _since;
    private bool _waiting;
    private bool _blocking;
    private bool _armed;
    private bool _disposed;
    private volatile bool _tooSlow;
    private volatile bool _timeUp;

    /// <summary>What reads are given.</summary>
    public CancellationToken Token => Volatile.Read(ref _source).Token;

    /// <summary>Whether the body has been given up.</summary>
    public bool TooSlow => _tooSlow;

    /// <summary>Whether that is because its time was over.</summary>
    public bool IsTimeUp => _timeUp;

    /// <summary>A read has to wait.</summary>
    /// <param name="blocking">Whether it holds its thread, so that no token reaches it.</param>
    public void BeginWait(bool blocking)
    {
        lock (_gate)
        {
            _since = clock.Timestamp();
            _waiting = true;
            _blocking = blocking;
            if (!_armed && !_disposed)
            {
                Arm(pace.Left(_since, _since));
            }
        }
    }

    /// <summary>The wait is over, whatever it ended with.</summary>
    public void EndWait()
    {
        lock (_gate)
        {
            _waiting = false;
            pace.Waited(_since, clock.Timestamp());
        }
    }

    /// <summary>Bytes came.</summary>
    public void Came(int bytes)
    {
        lock (_gate)
        {
            pace.Came(bytes);
        }
    }

    /// <summary>Cancels the read that waits, because its own caller did.</summary>
    public void Cancel() => Volatile.Read(ref _source).Cancel();

    /// <summary>Makes reading possible again after <see cref="Cancel"/>: where the transport can go on after a cancelled read, so can this.</summary>
    public void Renew()
    {
        lock (_gate)
        {
            if (!_tooSlow && !_disposed && _source.IsCancellationRequested)
            {
                Volatile.Write(ref _source, new CancellationTokenSource());
            }
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _disposed = true;
            _timer?.Dispose();
        }
    }

    private void OnTimer()
    {
        bool cancel;
        lock (_gate)
        {
            _armed = false;
            var now = clock.Timestamp();
            var timeUp = pace.IsOver(now);
            if (_disposed || (!_waiting && !timeUp))
            {
                return;
            }

            if (!timeUp && !_tooSlow && pace.Left(_since, now) is var left && left > TimeSpan.Zero)
            {
                Arm(left);
                return;
            }

            cancel = !_tooSlow;
            _timeUp = _timeUp || (cancel && timeUp);
            _tooSlow = true;
            if (cancel && !_blocking)
            {
                Arm(AbortDelay);
            }
        }

        try
        {
            if (cancel)
            {
                _source.Cancel();
            }

            if (!cancel || _blocking)
            {
                abort();
            }
        }
        catch (Exception)
        {
            // On a timer's thread an exception ends the process; what the transport throws when it is ended must not do that.
        }
    }

    // Under the lock. At least a millisecond: a timer that comes a little early must not spin.
    private void Arm(TimeSpan left)
    {
        _armed = true;
        if (left < Shortest)
        {
            left = Shortest;
        }

        if (_timer is not null)
        {
            _timer.Change(left, Timeout.InfiniteTimeSpan);
            return;
        }

        // The reader's execution context is not the timer's to keep.
        using (ExecutionContext.IsFlowSuppressed() ? default : ExecutionContext.SuppressFlow())
        {
            _timer = clock.Provider.CreateTimer(static state => ((ResponseBodyWatch)state!).OnTimer(), this, left, Timeout.InfiniteTimeSpan);
        }
    }
}
