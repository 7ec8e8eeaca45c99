using System.Diagnostics.Metrics;
using ResilientHost.Telemetry;

namespace ResilientHost.IsolatedTasks;

/// <summary>Instruments of the slice; names are capped by the runner. No member throws: listeners' callbacks run in here.</summary>
internal sealed class IsolatedTaskMetrics
{
    private readonly Histogram<double> _duration;
    private readonly Counter<long> _refusals;
    private Func<IReadOnlyList<IsolatedTaskSnapshot>> _tasks = static () => [];

    public IsolatedTaskMetrics(ResilienceMeter meter)
    {
        meter.Meter.CreateObservableUpDownCounter(ResilienceDiagnostics.Instruments.IsolatedTasksLive, Live, "{task}", "Isolated tasks that live.");
        _duration = meter.Meter.CreateHistogram(
            ResilienceDiagnostics.Instruments.IsolatedTaskDuration,
            "s",
            "Time from the start of an isolated task to its end, the wait for a thread included.",
            tags: null,
            new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300] });
        _refusals = meter.Meter.CreateCounter<long>(ResilienceDiagnostics.Instruments.IsolatedTaskRefusals, "{task}", "Isolated tasks that were refused.");
    }

    /// <summary>Whose tasks the gauge tells.</summary>
    public void Observe(Func<IReadOnlyList<IsolatedTaskSnapshot>> tasks) => _tasks = tasks;

    public void Ended(string name, CallOutcome outcome, TimeSpan duration)
    {
        try
        {
            _duration.Record(
                duration.TotalSeconds,
                new(ResilienceDiagnostics.Tags.IsolatedTaskName, name),
                new(ResilienceDiagnostics.Tags.Outcome, IsolatedTaskNames.Of(outcome)));
        }
        catch (Exception)
        {
            // A meter listener that throws would keep the task alive.
        }
    }

    public void Refused(string name, RefusalReason reason)
    {
        try
        {
            _refusals.Add(
                1,
                new(ResilienceDiagnostics.Tags.IsolatedTaskName, name),
                new(ResilienceDiagnostics.Tags.RefusalReason, IsolatedTaskNames.Of(reason)));
        }
        catch (Exception)
        {
            // It would hide the refusal from the caller.
        }
    }

    private IEnumerable<Measurement<int>> Live() =>
        _tasks().Select(track => new Measurement<int>(track.Live, new KeyValuePair<string, object?>(ResilienceDiagnostics.Tags.IsolatedTaskName, track.Name)));
}
