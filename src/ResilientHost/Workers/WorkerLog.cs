using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using ResilientHost.Hosting;
using ResilientHost.Recovery;
using ResilientHost.Telemetry;

namespace ResilientHost.Workers;

/// <summary>Tells what the supervision does. Thread-safe; no member throws.</summary>
internal sealed partial class WorkerLog(ILogger<WorkerLog> logger, MonotonicClock clock)
{
    // Of one worker within LogStorm.Interval.
    private const int MostLines = 20;

    // Kinds of failures that are told apart at a time.
    private const int MostKinds = 1024;

    private readonly ILogger _logger = logger;

    // When each was told in full. What is only counted elsewhere is summed up; here each repetition has a line of its own, with the delay that follows.
    private readonly ConcurrentDictionary<Fingerprint, long> _told = new();

    // By worker, of which there are only so many: since when, and how many lines.
    private readonly ConcurrentDictionary<string, (long Since, int Lines)> _lines = new(StringComparer.Ordinal);

    public void Changed(WorkerTransition change) => Contain(() =>
    {
        var (worker, run, cause, detail) = (change.Name, change.Run, change.Cause, Sentence(change.Detail));
        switch (change.To)
        {
            case WorkerState.BackingOff when change.Exception is { } exception && IsNews(Fingerprint.Of(FailureKind.Other, exception, worker)):
                RunFailed(SafeException.ForLogger(exception), worker, run, detail);
                break;
            case WorkerState.BackingOff when change.Exception is { } exception:
                if (HasRoom(worker))
                {
                    RunFailedAgain(worker, run, TypeNames.Of(exception), detail);
                }

                break;
            case WorkerState.BackingOff:
                RunFailed(exception: null, worker, run, detail);
                break;
            case WorkerState.Running when change.From == WorkerState.Stuck:
                IsHeardAgain(worker, run, detail);
                break;
            case WorkerState.Running:
                if (HasRoom(worker))
                {
                    Runs(worker, run, cause, detail);
                }

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

    public void Abandoned(string worker, int run, TimeSpan waited, string? activity) => Contain(() => IsAbandoned(worker, run, Math.Round(waited.TotalSeconds, 3), activity ?? "nothing that is known"));

    public void AbandonedEnded(string worker, int run, TimeSpan after) => Contain(() => AbandonedHasEnded(worker, run, Math.Round(after.TotalSeconds, 3)));

    public void LateFailure(string worker, int run, Exception exception) => Contain(() => FailedLate(SafeException.ForLogger(exception), worker, run));

    public void ListenerFailed(WorkerTransition change, Exception exception) => Contain(() => ListenerThrew(SafeException.ForLogger(exception), change.Name));

    /// <summary>Whether a failure has not been told in full just now: a stack costs more than all the rest, and says nothing new.</summary>
    private bool IsNews(Fingerprint failure)
    {
        var now = clock.Timestamp();
        if (_told.TryGetValue(failure, out var at) && clock.Elapsed(at, now) < LogStorm.Interval)
        {
            return false;
        }

        if (_told.Count >= MostKinds)
        {
            foreach (var old in _told.Where(entry => clock.Elapsed(entry.Value, now) >= LogStorm.Interval))
            {
                _told.TryRemove(old);
            }
        }

        if (_told.Count >= MostKinds && at == 0)
        {
            return false;
        }

        _told[failure] = now;
        return true;
    }

    /// <summary>Lines about a worker that is started again and again are bounded; how often it was is a matter of the metrics.</summary>
    private bool HasRoom(string worker)
    {
        var now = clock.Timestamp();
        var (since, lines) = _lines.GetValueOrDefault(worker);
        if (lines == 0 || clock.Elapsed(since, now) >= LogStorm.Interval)
        {
            (since, lines) = (now, 0);
        }

        _lines[worker] = (since, lines + 1);
        return lines < MostLines;
    }

    private static string Sentence(string? detail) => detail is { Length: > 0 } ? $" {char.ToUpperInvariant(detail[0])}{detail[1..]}." : "";

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
