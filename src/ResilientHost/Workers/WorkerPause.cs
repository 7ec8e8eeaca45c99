namespace ResilientHost.Workers;

/// <summary>Shows that a run waits: from the first of its passes that does until the last.</summary>
/// <remarks>Thread-safe. A run that is to stop shows nothing any more: its successor may be under way.</remarks>
internal sealed class WorkerPause(WorkerRun run, IWorkerEvents events)
{
    private readonly Lock _gate = new();
    private int _waiting;

    /// <summary>Whether the service level asks a worker to pause.</summary>
    /// <param name="level">The level; <see langword="null"/>: nobody decides one.</param>
    /// <param name="runsUpTo">The worst level at which the worker goes on; <see langword="null"/>: it always does.</param>
    public static bool IsAsked(IServiceLevel? level, ServiceLevel? runsUpTo) =>
        level is not null && runsUpTo is { } highest && level.Current > highest && level.Mode == DegradationMode.Enforce;

    public void Begin()
    {
        lock (_gate)
        {
            _waiting++;
        }
    }

    /// <summary>Shows the pause, if it does not show: what else happened to the worker may have hidden it.</summary>
    public void Show(WorkerTransitionCause cause, string? detail)
    {
        if (run.Stopping.IsCancellationRequested)
        {
            return;
        }

        // Stuck stays, while what is stuck runs beside the pass that waits.
        var worker = run.Worker;
        _ = worker.Pulse.IsWorking
            ? worker.Change(WorkerState.Paused, cause, run.Number, exception: null, detail, WorkerState.Running)
            : worker.Change(WorkerState.Paused, cause, run.Number, exception: null, detail, WorkerState.Running, WorkerState.Stuck);
        worker.Publish(events);
    }

    public void End(WorkerTransitionCause cause)
    {
        lock (_gate)
        {
            if (--_waiting == 0 && !run.Stopping.IsCancellationRequested)
            {
                run.Worker.Change(WorkerState.Running, cause, run.Number, exception: null, detail: null, WorkerState.Paused);
            }
        }

        run.Worker.Publish(events);
    }
}
