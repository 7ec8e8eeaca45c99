using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using ResilientHost.Hosting;
using ResilientHost.Telemetry;

namespace ResilientHost.Bulkheads;

/// <summary>What the bulkheads of one registry tell the outside. Nothing a listener or logger does reaches a caller.</summary>
/// <param name="metrics">Their metrics.</param>
/// <param name="logger">Their log.</param>
/// <param name="clock">The clock.</param>
/// <param name="groupOf">Finds those that the outside sees as one, by the name that they share.</param>
internal sealed partial class BulkheadTelemetry(BulkheadMetrics metrics, ILogger logger, MonotonicClock clock, Func<string, BulkheadGroup?>? groupOf = null) : IDisposable
{
    private readonly ConcurrentDictionary<object, LogStorm> _storms = new();
    private readonly ConcurrentDictionary<object, LogStorm> _shareStorms = new();
    private volatile bool _disposed;

    private TimeProvider Provider => clock.Provider;

    public void Refused(Bulkhead bulkhead, RefusalReason reason)
    {
        if (_disposed || !logger.IsEnabled(LogLevel.Warning))
        {
            return;
        }

        try
        {
            var storm = _storms.GetOrAdd(
                (object?)GroupOf(bulkhead) ?? bulkhead, static (source, of) => new LogStorm(of.Telemetry.Provider, more => of.Telemetry.LogMore(of.Bulkhead, more)), (Telemetry: this, Bulkhead: bulkhead));
            if (storm.Admit())
            {
                LogFirst(bulkhead, reason);
            }
        }
        catch (Exception)
        {
            // A logger that throws costs its line, not the call.
        }
    }

    /// <summary>A caller was refused because of its own share.</summary>
    public void ShareRefused(Bulkhead bulkhead)
    {
        if (_disposed || !logger.IsEnabled(LogLevel.Warning))
        {
            return;
        }

        try
        {
            var storm = _shareStorms.GetOrAdd(
                bulkhead, static (source, telemetry) => new LogStorm(telemetry.Provider, more => telemetry.LogMoreShares((Bulkhead)source, more)), this);
            if (storm.Admit())
            {
                var snapshot = bulkhead.Snapshot();
                FirstShareRefused(bulkhead.Name, snapshot.InFlight, snapshot.Limit, snapshot.Queued);
            }
        }
        catch (Exception)
        {
            // A logger that throws costs its line, not the call.
        }
    }

    public FairShareCounts ShareCountsOf(Bulkhead bulkhead) => metrics.ShareCountsOf(bulkhead);

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
        foreach (var storm in _storms.Values.Concat(_shareStorms.Values))
        {
            storm.Dispose();
        }
    }

    private BulkheadGroup? GroupOf(Bulkhead bulkhead) => groupOf?.Invoke(bulkhead.Name);

    private void LogFirst(Bulkhead bulkhead, RefusalReason reason)
    {
        var snapshot = bulkhead.Snapshot();
        FirstRefused(bulkhead.Name, reason, snapshot.InFlight, snapshot.Limit, snapshot.Queued);
    }

    private void LogMore(Bulkhead bulkhead, long count)
    {
        var snapshot = GroupOf(bulkhead)?.Snapshot() ?? bulkhead.Snapshot();
        MoreRefused(bulkhead.Name, count, LogStorm.Interval.TotalSeconds, snapshot.InFlight, snapshot.Limit, snapshot.Queued);
    }

    private void LogMoreShares(Bulkhead bulkhead, long count)
    {
        var snapshot = bulkhead.Snapshot();
        MoreSharesRefused(bulkhead.Name, count, LogStorm.Interval.TotalSeconds, snapshot.InFlight, snapshot.Limit, snapshot.Queued);
    }
}
