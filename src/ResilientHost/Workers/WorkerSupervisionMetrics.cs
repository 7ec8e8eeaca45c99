using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using ResilientHost.Telemetry;

namespace ResilientHost.Workers;

/// <summary>Instruments of the supervision. Gauges are read when a listener samples. No member throws: listeners' callbacks run in here.</summary>
internal sealed class WorkerSupervisionMetrics
{
    private static readonly WorkerState[] AllStates = Enum.GetValues<WorkerState>();
    private readonly Counter<long> _restarts;

    // By worker: why it has to wait for its next run. As many as there are workers.
    private readonly ConcurrentDictionary<string, WorkerTransitionCause> _reasons = new(StringComparer.Ordinal);

    /// <param name="meter">The library's meter.</param>
    /// <param name="workers">All workers, by name.</param>
    public WorkerSupervisionMetrics(ResilienceMeter meter, Func<IReadOnlyList<Worker>> workers)
    {
        meter.Meter.CreateObservableGauge(
            ResilienceDiagnostics.Instruments.WorkerState, () => workers().SelectMany(States), "{state}", "1 for the state a worker is in, 0 for the others.");
        meter.Meter.CreateObservableGauge(
            ResilienceDiagnostics.Instruments.WorkerAbandoned,
            () => workers().Select(worker => new Measurement<int>(worker.Snapshot().Abandoned, Name(worker.Name))),
            "{run}",
            "Runs of a worker that were given up on and have not ended yet.");
        _restarts = meter.Meter.CreateCounter<long>(ResilienceDiagnostics.Instruments.WorkerRestarts, "{restart}", "Runs of workers that were started again.");
    }

    public void Count(WorkerTransition transition)
    {
        try
        {
            if (transition.To == WorkerState.BackingOff)
            {
                _reasons[transition.Name] = transition.Cause;
            }
            else if (transition is { To: WorkerState.Running, Run: > 1, Cause: WorkerTransitionCause.Restart or WorkerTransitionCause.Group or WorkerTransitionCause.Manual or WorkerTransitionCause.Silence })
            {
                // The end of a delay is not why it is started again: what the delay was for is.
                var cause = transition.Cause == WorkerTransitionCause.Restart ? _reasons.GetValueOrDefault(transition.Name, transition.Cause) : transition.Cause;
                _restarts.Add(1, Name(transition.Name), new(ResilienceDiagnostics.Tags.WorkerCause, WorkerNames.Of(cause)));
            }
        }
        catch (Exception)
        {
            // A meter listener that throws would otherwise end the supervision.
        }
    }

    private static IEnumerable<Measurement<int>> States(Worker worker)
    {
        var current = worker.State;
        return AllStates.Select(state => new Measurement<int>(
            state == current ? 1 : 0, Name(worker.Name), new KeyValuePair<string, object?>(ResilienceDiagnostics.Tags.WorkerState, WorkerNames.Of(state))));
    }

    private static KeyValuePair<string, object?> Name(string worker) => new(ResilienceDiagnostics.Tags.WorkerName, worker);
}
