using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using ResilientHost.Hosting;
using ResilientHost.Recovery;
using ResilientHost.Telemetry;

namespace ResilientHost.Workers;

/// <summary>Tells what the supervision does. Thread-safe; no member throws.</summary>
internal sealed partial class WorkerLog(ILogger<WorkerLog> logger, MonotonicClock clock)
{
    private readonly ILogger _logger = logger;

    // By worker: what was last told in full, and when. As many as there are workers.
    private readonly ConcurrentDictionary<string, (string Type, long At)> _told = new(StringComparer.Ordinal);

    public void Changed(WorkerTransition change) => Contain(() =>
    {
        var (worker, run, cause, detail) = (change.Name, change.Run, change.Cause, change.Detail ?? "");
        switch (change.To)
        {
            case WorkerState.BackingOff when change.Exception is { } exception && !IsRepeated(worker, exception):
                RunFailed(SafeException.ForLogger(exception), worker, run, detail);
                break;
            case WorkerState.BackingOff when change.Exception is { } exception:
                RunFailedAgain(worker, run, TypeNames.Of(exception), detail);
                break;
            case WorkerState.BackingOff:
                RunFailed(exception: null, worker, run, detail);
                break;
            case WorkerState.Running when change.From == WorkerState.Stuck:
                IsHeardAgain(worker, run, detail);
                break;
            case WorkerState.Running:
                Runs(worker, run, cause, detail);
                break;
            case WorkerState.Paused:
                Pauses(worker, cause, detail);
                break;
            case WorkerState.Stuck:
                IsStuck(worker, run, detail);
                break;
            case WorkerState.Failed when cause != WorkerTransitionCause.GaveUp:
                FailedForGood(change.Exception is { } last ? SafeException.ForLogger(last) : null, worker, run, cause, detail);
                break;
            case WorkerState.Completed or WorkerState.Stopped:
                Ended(worker, change.To, run, cause, detail);
                break;
            default:
                // Failed after giving up is told by GaveUp, with what follows; stopping by what comes of it.
                break;
        }
    });

    public void GaveUp(string worker, string? group, GiveUpAction action, Exception? exception, string why) => Contain(() =>
    {
        var who = group is null ? $"Worker '{worker}'" : $"Group '{group}' of worker '{worker}'";
        var safe = exception is null ? null : SafeException.ForLogger(exception);
        if (action == GiveUpAction.StopHost)
        {
            GaveUpOnHost(safe, who, why);
        }
        else
        {
            GaveUpOn(safe, who, why);
        }
    });

    public void Abandoned(string worker, int run, TimeSpan waited, string? activity) => Contain(() => IsAbandoned(worker, run, waited.TotalSeconds, activity ?? "nothing that is known"));

    public void AbandonedEnded(string worker, int run, TimeSpan after) => Contain(() => AbandonedHasEnded(worker, run, Math.Round(after.TotalSeconds, 3)));

    public void LateFailure(string worker, int run, Exception exception) => Contain(() => FailedLate(SafeException.ForLogger(exception), worker, run));

    public void ListenerFailed(WorkerTransition change, Exception exception) => Contain(() => ListenerThrew(SafeException.ForLogger(exception), change.Name));

    /// <summary>Whether a failure of this type of this worker was told in full just now: a stack costs more than all the rest, and says nothing new.</summary>
    private bool IsRepeated(string worker, Exception exception)
    {
        var (type, now) = (TypeNames.Of(exception), clock.Timestamp());
        if (_told.TryGetValue(worker, out var told) && told.Type == type && clock.Elapsed(told.At, now) < LogStorm.Interval)
        {
            return true;
        }

        _told[worker] = (type, now);
        return false;
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
