using Microsoft.Extensions.Logging;
using ResilientHost.Hosting;
using ResilientHost.Recovery;

namespace ResilientHost.Workers;

/// <summary>Tells what the supervision does. Thread-safe; no member throws.</summary>
internal sealed partial class WorkerLog : IDisposable
{
    private readonly ILogger _logger;
    private readonly StormGate _storms;

    /// <param name="logger">Where to.</param>
    /// <param name="policy">Tells the interval within which a failure is told in full once.</param>
    /// <param name="clock">The clock and its timers.</param>
    public WorkerLog(ILogger<WorkerLog> logger, Func<RecoveryPolicy> policy, MonotonicClock clock)
    {
        _logger = logger;

        // Each repetition has a line of its own, with the delay that follows: there is nothing to sum up.
        _storms = new StormGate(clock, policy, static _ => { });
    }

    public void Changed(WorkerTransition change) => Contain(() =>
    {
        var (worker, run, cause, detail) = (change.Name, change.Run, change.Cause, Sentence(change.Detail));
        switch (change.To)
        {
            case WorkerState.BackingOff when change.Exception is { } exception && _storms.Admit(Fingerprint.Of(FailureKind.Other, exception, worker)):
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

    public void Abandoned(string worker, int run, TimeSpan waited, string? activity) => Contain(() => IsAbandoned(worker, run, Math.Round(waited.TotalSeconds, 3), activity ?? "nothing that is known"));

    public void AbandonedEnded(string worker, int run, TimeSpan after) => Contain(() => AbandonedHasEnded(worker, run, Math.Round(after.TotalSeconds, 3)));

    public void LateFailure(string worker, int run, Exception exception) => Contain(() => FailedLate(SafeException.ForLogger(exception), worker, run));

    public void ListenerFailed(WorkerTransition change, Exception exception) => Contain(() => ListenerThrew(SafeException.ForLogger(exception), change.Name));

    public void Dispose() => _storms.Dispose();

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
