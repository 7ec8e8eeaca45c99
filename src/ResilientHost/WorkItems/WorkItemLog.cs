using Microsoft.Extensions.Logging;
using ResilientHost.Hosting;
using ResilientHost.Recovery;
using ResilientHost.Telemetry;

namespace ResilientHost.WorkItems;

/// <summary>What the processing of items has to tell; storms in one line per interval. Thread-safe; no member throws.</summary>
internal sealed partial class WorkItemLog : IDisposable
{
    private readonly ILogger _logger;
    private readonly LogStorm _failed;
    private readonly LogStorm _poison;
    private readonly LogStorm _notKept;

    public WorkItemLog(ILogger<WorkItemLog> logger, MonotonicClock clock)
    {
        _logger = logger;
        var seconds = LogStorm.Interval.TotalSeconds;
        _failed = new(clock.Provider, count => LogFailedMore(count, seconds));
        _poison = new(clock.Provider, count => LogPoisonMore(count, seconds));
        _notKept = new(clock.Provider, count => LogNotKeptMore(count, seconds));
    }

    public void Failed(string worker, string processing, long item, int attempt, Exception exception) => Contain(() =>
    {
        if (_failed.Admit())
        {
            LogFailed(SafeException.ForLogger(exception), attempt, item, processing, worker);
        }
    });

    public void Poison(string worker, string processing, long item, int attempts, string letter, Exception? exception) => Contain(() =>
    {
        if (_poison.Admit())
        {
            LogPoison(exception is null ? null : SafeException.ForLogger(exception), item, processing, worker, attempts, letter);
        }
    });

    public void Unreadable(string directory, int buried, int kept) => Contain(() => LogUnreadable(LogText.Clean(directory, 1024), buried, kept));

    public void NotKept(string worker, string processing, long item, Exception exception) => Contain(() =>
    {
        if (_notKept.Admit())
        {
            LogNotKept(SafeException.ForLogger(exception), item, processing, worker);
        }
    });

    public void Left(string worker, string processing, int count) => Contain(() => LogLeft(count, processing, worker));

    public void Lost(string worker, string processing, Exception? exception) =>
        Contain(() => LogLost(exception is null ? null : SafeException.ForLogger(exception), processing, worker));

    public void Overdue(string worker, string processing, int count, TimeSpan after, int run) => Contain(() => LogOverdue(count, processing, worker, after.TotalSeconds, run));

    /// <summary>Writes what is still only counted.</summary>
    public void Dispose()
    {
        _failed.Dispose();
        _poison.Dispose();
        _notKept.Dispose();
    }

    private static void Contain(Action write)
    {
        try
        {
            write();
        }
        catch (Exception)
        {
            // A logger that throws must not cost an item.
        }
    }
}
