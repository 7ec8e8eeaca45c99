using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using ResilientHost.Hosting;

namespace ResilientHost.Bulkheads;

/// <summary>What the bulkheads of one registry tell the outside. Nothing a listener or logger does reaches a caller.</summary>
internal sealed partial class BulkheadTelemetry(BulkheadMetrics metrics, ILogger logger, MonotonicClock clock) : IDisposable
{
    private readonly ConcurrentDictionary<Bulkhead, RefusalStorm> _storms = new();
    private volatile bool _disposed;

    public void Refused(Bulkhead bulkhead, RefusalReason reason)
    {
        if (_disposed || !logger.IsEnabled(LogLevel.Warning))
        {
            return;
        }

        try
        {
            _storms.GetOrAdd(bulkhead, static (bulkhead, telemetry) => new RefusalStorm(telemetry, bulkhead), this).Add(reason);
        }
        catch (Exception)
        {
            // A logger that throws costs its line, not the call.
        }
    }

    public void Waited(Bulkhead bulkhead, TimeSpan duration, WaitEnd end)
    {
        try
        {
            metrics.Waited(bulkhead, duration, end);
        }
        catch (Exception)
        {
            // Meter listeners run in here; one that throws would otherwise leave a waiter uncompleted.
        }
    }

    public void Changed(Bulkhead bulkhead)
    {
        var policy = bulkhead.Policy;
        OptionsApplied(bulkhead.Name, policy.Mode, policy.Limit, policy.QueueLength);
    }

    public void Dispose()
    {
        _disposed = true;
        foreach (var (_, storm) in _storms)
        {
            storm.Dispose();
        }
    }

    private void LogFirst(Bulkhead bulkhead, RefusalReason reason)
    {
        var snapshot = bulkhead.Snapshot();
        FirstRefused(bulkhead.Name, reason, snapshot.InFlight, snapshot.Limit, snapshot.Queued);
    }

    private void LogMore(Bulkhead bulkhead, long count)
    {
        var snapshot = bulkhead.Snapshot();
        MoreRefused(bulkhead.Name, count, RefusalStorm.Interval.TotalSeconds, snapshot.InFlight, snapshot.Limit, snapshot.Queued);
    }

    /// <summary>One line for the first refusal after a quiet time, then one per interval that says how many more there were.</summary>
    private sealed class RefusalStorm : IDisposable
    {
        public static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);
        private readonly BulkheadTelemetry _telemetry;
        private readonly Bulkhead _bulkhead;
        private readonly ITimer _timer;
        private int _active;
        private long _more;

        public RefusalStorm(BulkheadTelemetry telemetry, Bulkhead bulkhead)
        {
            _telemetry = telemetry;
            _bulkhead = bulkhead;
            _timer = telemetry.Provider.CreateTimer(
                static state => ((RefusalStorm)state!).OnInterval(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }

        public void Add(RefusalReason reason)
        {
            if (Volatile.Read(ref _active) == 0 && Interlocked.Exchange(ref _active, 1) == 0)
            {
                _timer.Change(Interval, Timeout.InfiniteTimeSpan);
                _telemetry.LogFirst(_bulkhead, reason);
                return;
            }

            Interlocked.Increment(ref _more);
        }

        public void Dispose() => _timer.Dispose();

        private void OnInterval()
        {
            var more = Interlocked.Exchange(ref _more, 0);
            if (more == 0)
            {
                // One that is counted while this ends the storm is told with the next one's.
                Volatile.Write(ref _active, 0);
                return;
            }

            _timer.Change(Interval, Timeout.InfiniteTimeSpan);
            try
            {
                _telemetry.LogMore(_bulkhead, more);
            }
            catch (Exception)
            {
                // On a timer's thread an exception ends the process; a logger must not be able to do that.
            }
        }
    }

    private TimeProvider Provider => clock.Provider;
}
