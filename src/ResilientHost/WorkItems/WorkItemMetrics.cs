using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using ResilientHost.Telemetry;
using ResilientHost.Workers;

namespace ResilientHost.WorkItems;

/// <summary>Instruments of the slice. Names are capped. Never throws: listeners' callbacks run in here.</summary>
internal sealed class WorkItemMetrics
{
    private readonly NameCap _workers = new();
    private readonly NameCap _processings = new();
    private readonly ConcurrentDictionary<IWorkItemProcessor, bool> _live = new();
    private readonly Histogram<double> _duration;

    public WorkItemMetrics(ResilienceMeter meter)
    {
        _duration = meter.Meter.CreateHistogram(
            ResilienceDiagnostics.Instruments.WorkItemDuration,
            unit: "s",
            description: "Duration of attempts at items, without what they waited for before they began.",
            advice: new InstrumentAdvice<double>
            {
                HistogramBucketBoundaries = [0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900],
            });
        meter.Meter.CreateObservableGauge(
            ResilienceDiagnostics.Instruments.WorkItemInFlight, InFlight, "{item}", "Items that were taken and are not finished.");
    }

    public bool IsEnabled => _duration.Enabled;

    public void Began(IWorkItemProcessor processor) => _live[processor] = true;

    /// <summary>Processings that take no further items, because their dead letters cannot be kept.</summary>
    public IReadOnlyList<(string Worker, string Processing)> Blocked => [.. _live.Keys.Where(processor => processor.IsBlocked).Select(processor => (processor.Worker, processor.Name))];

    public void Ended(IWorkItemProcessor processor) => _live.TryRemove(processor, out _);

    public void Attempted(string worker, string processing, CallOutcome outcome, TimeSpan duration)
    {
        try
        {
            _duration.Record(
                duration.TotalSeconds,
                new KeyValuePair<string, object?>(ResilienceDiagnostics.Tags.WorkerName, _workers.Of(worker)),
                new KeyValuePair<string, object?>(ResilienceDiagnostics.Tags.WorkItems, _processings.Of(processing)),
                new KeyValuePair<string, object?>(ResilienceDiagnostics.Tags.Outcome, WorkOutcomes.NameOf(outcome)));
        }
        catch (Exception)
        {
            // Its failure must not cost the item its attempt.
        }
    }

    private IEnumerable<Measurement<int>> InFlight() => _live.Keys
        .GroupBy(processor => (Worker: _workers.Of(processor.Worker), Processing: _processings.Of(processor.Name)))
        .Select(group => new Measurement<int>(
            group.Sum(processor => processor.InFlight),
            new KeyValuePair<string, object?>(ResilienceDiagnostics.Tags.WorkerName, group.Key.Worker),
            new KeyValuePair<string, object?>(ResilienceDiagnostics.Tags.WorkItems, group.Key.Processing)));
}

/// <summary>What a gauge reads of a processing.</summary>
internal interface IWorkItemProcessor
{
    string Worker { get; }

    string Name { get; }

    int InFlight { get; }

    /// <summary>Whether it takes no further items, because dead letters of it cannot be kept.</summary>
    bool IsBlocked { get; }
}
