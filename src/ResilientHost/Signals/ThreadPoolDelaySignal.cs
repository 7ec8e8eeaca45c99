using ResilientHost.Hosting;

namespace ResilientHost.Signals;

/// <summary>How long a work item waits for a thread of the pool: one is always on its way, the same object each time.</summary>
/// <remarks>
/// Read by one thread, executed by the pool. While the item still waits its age counts, so that a pool that runs nothing at all is seen while it lasts and not only afterwards.
/// </remarks>
internal sealed class ThreadPoolDelaySignal(IRuntimeFacts facts, MonotonicClock clock) : ISignalSource, IThreadPoolWorkItem
{
    private const long Waiting = -1;

    private bool _sent;
    private bool _queued;
    private long _sentAt;
    private long _waited;

    public string Name => ResilienceDiagnostics.SignalNames.ThreadPoolDelay;

    public double Read(long now)
    {
        var waited = Volatile.Read(ref _waited);
        if (_sent && waited == Waiting)
        {
            Queue();
            return Seconds(now - _sentAt);
        }

        _sentAt = clock.Timestamp();
        Volatile.Write(ref _waited, Waiting);
        _queued = false;
        Queue();
        var delay = _sent ? Seconds(waited) : double.NaN;
        _sent = true;
        return delay;
    }

    /// <summary>Runs on the pool.</summary>
    public void Execute() => Volatile.Write(ref _waited, Math.Max(clock.Timestamp() - _sentAt, 0));

    private void Queue()
    {
        if (_queued)
        {
            return;
        }

        try
        {
            facts.Queue(this);
            _queued = true;
        }
        catch (Exception)
        {
            // No thread could be started. The item may be in the queue all the same, or not: it is tried again with the next reading, while its age counts on. Running twice does no harm.
        }
    }

    private double Seconds(long ticks) => Math.Max(ticks, 0) / (double)clock.Frequency;
}
