namespace ResilientHost.Telemetry;

/// <summary>One line for the first of its kind after a quiet time, then one per interval that says how many more there were.</summary>
/// <remarks>Thread-safe. <paramref name="summarize"/> runs on a timer's thread, at most once per interval, and when the storm is disposed; what it throws is contained.</remarks>
/// <param name="time">For the timer.</param>
/// <param name="summarize">Writes the line for those that were only counted.</param>
internal sealed class LogStorm(TimeProvider time, Action<long> summarize) : IDisposable
{
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    private readonly Lock _gate = new();
    private ITimer? _timer;
    private int _active;
    private long _more;
    private bool _disposed;

    /// <summary>Whether this one is to be logged in full; otherwise it has been counted.</summary>
    public bool Admit()
    {
        if (Volatile.Read(ref _active) == 0 && Interlocked.Exchange(ref _active, 1) == 0)
        {
            Arm();
            return true;
        }

        Interlocked.Increment(ref _more);
        return false;
    }

    /// <summary>Ends the timer and sums up what is still only counted.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _disposed = true;
            _timer?.Dispose();
        }

        Summarize(Interlocked.Exchange(ref _more, 0));
    }

    private void Arm()
    {
        lock (_gate)
        {
            if (_disposed)
            {
                return;
            }

            if (_timer is null)
            {
                // Made by the first request that has something to tell; its trace must not own the summaries that follow.
                using (ExecutionContext.IsFlowSuppressed() ? default : ExecutionContext.SuppressFlow())
                {
                    _timer = time.CreateTimer(static state => ((LogStorm)state!).OnInterval(), this, Interval, Timeout.InfiniteTimeSpan);
                }
            }
            else
            {
                _timer.Change(Interval, Timeout.InfiniteTimeSpan);
            }
        }
    }

    private void OnInterval()
    {
        var more = Interlocked.Exchange(ref _more, 0);
        if (more == 0)
        {
            // One that is counted while this ends the storm is told with the next one's.
            Volatile.Write(ref _active, 0);
            return;
        }

        Arm();
        Summarize(more);
    }

    private void Summarize(long more)
    {
        try
        {
            if (more > 0)
            {
                summarize(more);
            }
        }
        catch (Exception)
        {
            // On a timer's thread an exception ends the process; a logger must not be able to do that.
        }
    }
}
