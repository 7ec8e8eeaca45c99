using ResilientHost.Hosting;
using ResilientHost.Telemetry;

namespace ResilientHost.Workers;

/// <summary>Hears what the supervision does, for log, metrics and subscribers, and carries out what giving up means.</summary>
/// <param name="log">Writes it down.</param>
/// <param name="metrics">Counts it.</param>
/// <param name="decide">What happens when a worker, or the group with it, is given up; told what is asked for, if anything is.</param>
/// <param name="carryOut">Makes it happen.</param>
internal sealed class WorkerTelemetry(
    WorkerLog log, WorkerSupervisionMetrics metrics, Func<Worker, string?, GiveUpAction?, GiveUpAction> decide, Action<GiveUpAction> carryOut) : IWorkerEvents
{
    private readonly Lock _gate = new();
    private BoundedListener<WorkerTransition>[] _listeners = [];

    /// <summary>Raised for every change, in the order of the changes of each worker; on the thread pool.</summary>
    public event Action<WorkerTransition>? Transition
    {
        add
        {
            if (value is not null)
            {
                lock (_gate)
                {
                    _listeners = [.. _listeners, new(value, log.ListenerFailed)];
                }
            }
        }

        remove
        {
            lock (_gate)
            {
                if (Array.FindLast(_listeners, listener => listener.Handler == value) is { } found)
                {
                    found.Remove();
                    _listeners = [.. _listeners.Where(listener => listener != found)];
                }
            }
        }
    }

    public void Transitioned(WorkerTransition transition)
    {
        metrics.Count(transition);
        log.Changed(transition);
        foreach (var listener in Volatile.Read(ref _listeners))
        {
            listener.Enqueue(transition);
        }
    }

    public void LateFailure(string worker, int run, Exception exception) => log.LateFailure(worker, run, exception);

    public void Abandoned(string worker, int run, TimeSpan waited, string? activity) => log.Abandoned(worker, run, waited, activity);

    public void AbandonedEnded(string worker, int run, TimeSpan after) => log.AbandonedEnded(worker, run, after);

    public void GaveUp(Worker worker, string? group, GiveUpAction? action, Exception? exception, string why)
    {
        var decided = decide(worker, group, action);
        log.GaveUp(worker.Name, group, decided, exception, why);
        carryOut(decided);
    }
}
