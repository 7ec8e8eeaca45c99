using System.Globalization;
using Microsoft.Extensions.Logging;
using ResilientHost.Hosting;
using ResilientHost.Recovery;
using ResilientHost.Telemetry;

namespace ResilientHost.IsolatedTasks;

/// <summary>Tells of tasks that failed, were refused, pile up or did not end. Thread-safe and storm-proof; no member throws.</summary>
internal sealed partial class IsolatedTaskLog : IDisposable
{
    private const int MaxNameLength = 128;
    private const int MaxOriginLength = 256;
    private const int MaxNames = 20;
    private const string None = "-";

    private readonly ILogger _logger;
    private readonly StormGate _failures;
    private readonly LogStorm _full;
    private readonly LogStorm _stopping;

    public IsolatedTaskLog(ILogger<IsolatedTaskLog> logger, Func<RecoveryPolicy> recovery, MonotonicClock clock)
    {
        _logger = logger;
        _failures = new StormGate(clock, recovery, summary => Contain(() => FailedMore(
            summary.Repeats,
            LogText.Clean(summary.Fingerprint.Endpoint, MaxNameLength),
            summary.Fingerprint.ExceptionType,
            LogText.Clean(summary.Fingerprint.Site.ToString(), MaxOriginLength),
            summary.Interval.TotalSeconds)));
        _full = new LogStorm(clock.Provider, more => RefusedFullMore(more, LogStorm.Interval.TotalSeconds));
        _stopping = new LogStorm(clock.Provider, more => RefusedStoppingMore(more, LogStorm.Interval.TotalSeconds));
    }

    public void Failed(IsolatedTask task, TimeSpan age, Exception exception) => Contain(() =>
    {
        if (!_logger.IsEnabled(LogLevel.Error))
        {
            return;
        }

        var fingerprint = Fingerprint.Of(FailureKind.Other, exception, task.Track.Name);
        if (_failures.Admit(fingerprint))
        {
            Threw(
                LogText.Clean(task.Track.Name, MaxNameLength),
                fingerprint.ExceptionType,
                age.TotalSeconds,
                LogText.Clean(task.Origin.ToString(), MaxOriginLength),
                task.Context.TraceId ?? None,
                SafeException.ForLogger(exception));
        }
    });

    public void Refused(string name, RefusalReason reason, int live, TaskOrigin origin) => Contain(() =>
    {
        if (!_logger.IsEnabled(LogLevel.Warning))
        {
            return;
        }

        if (reason == RefusalReason.BulkheadFull && _full.Admit())
        {
            RefusedFull(LogText.Clean(name, MaxNameLength), live, LogText.Clean(origin.ToString(), MaxOriginLength));
        }
        else if (reason == RefusalReason.Shed && _stopping.Admit())
        {
            RefusedStopping(LogText.Clean(name, MaxNameLength), LogText.Clean(origin.ToString(), MaxOriginLength));
        }
    });

    public void LeakBegan(IsolatedTaskSnapshot tasks, int growth, TimeSpan window) => Contain(() => Grows(
        LogText.Clean(tasks.Name, MaxNameLength),
        tasks.Live,
        growth,
        window,
        tasks.OldestAge.TotalSeconds,
        LogText.Clean(tasks.Origin, MaxOriginLength),
        tasks.TraceId ?? None));

    public void LeakEnded(IsolatedTaskSnapshot tasks) => Contain(() => GrowsNoMore(LogText.Clean(tasks.Name, MaxNameLength), tasks.Live));

    public void Draining(IReadOnlyList<IsolatedTaskSnapshot> tasks, TimeSpan limit) => Contain(() =>
        WaitsFor(tasks.Sum(name => name.Live), limit.TotalSeconds, Text(tasks)));

    public void Drained(TimeSpan took) => Contain(() => AllEnded(took.TotalSeconds));

    public void LeftBehind(IReadOnlyList<IsolatedTaskSnapshot> tasks, TimeSpan took) => Contain(() =>
        NotEnded(tasks.Sum(name => name.Live), took.TotalSeconds, Text(tasks)));

    public void CancellationThrew(Exception exception) => Contain(() => CallbackThrew(SafeException.ForLogger(exception)));

    public void WatchFailed(Exception exception) => Contain(() => LookFailed(exception));

    public void Dispose()
    {
        Contain(_failures.Dispose);
        _full.Dispose();
        _stopping.Dispose();
    }

    private static string Text(IReadOnlyList<IsolatedTaskSnapshot> tasks)
    {
        var text = string.Join("; ", tasks.Take(MaxNames).Select(name => string.Create(
            CultureInfo.InvariantCulture,
            $"{LogText.Clean(name.Name, MaxNameLength)} ×{name.Live} (oldest {name.OldestAge.TotalSeconds:0.###} s, from {LogText.Clean(name.Origin, MaxOriginLength)})")));
        return tasks.Count > MaxNames ? $"{text}; and {tasks.Count - MaxNames} more names" : text;
    }

    private static void Contain(Action write)
    {
        try
        {
            write();
        }
        catch (Exception)
        {
            // A logger that throws costs its line, nothing else.
        }
    }
}
