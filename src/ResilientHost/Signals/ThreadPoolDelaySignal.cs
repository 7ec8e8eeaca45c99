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
    private long _sentAt;
    private long _waited;

    public string Name => ResilienceDiagnostics.SignalNames.ThreadPoolDelay;

    public double Read(long now)
    {
        var waited = Volatile.Read(ref _waited);
        if (_sent && waited == Waiting)
        {
            return Seconds(now - _sentAt);
        }

        var delay = _sent ? Seconds(waited) : double.NaN;
        Send();
        return delay;
    }

    /// <summary>Runs on the pool.</summary>
    public void Execute() => Volatile.Write(ref _waited, Math.Max(clock.Timestamp() - _sentAt, 0));

    private void Send()
    {
        try
        {
            _sentAt = clock.Timestamp();
            Volatile.Write(ref _waited, Waiting);
            facts.Queue(this);
            _sent = true;
        }
        catch (Exception)
        {
            // The pool could not start a thread. The item may be in its queue all the same and is not sent twice: its age goes on counting.
            _sent = true;
        }
    }

    private double Seconds(long ticks) => Math.Max(ticks, 0) / (double)clock.Frequency;
}
