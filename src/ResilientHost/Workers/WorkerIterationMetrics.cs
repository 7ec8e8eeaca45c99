using System.Diagnostics.Metrics;
using ResilientHost.Telemetry;

namespace ResilientHost.Workers;

/// <summary>How long iterations took and how they ended. Names are capped. Never throws: listeners' callbacks run in here.</summary>
internal sealed class WorkerIterationMetrics(ResilienceMeter meter)
{
    private readonly NameCap _workers = new();
    private readonly NameCap _iterations = new();
    private readonly Histogram<double> _duration = meter.Meter.CreateHistogram(
        ResilienceDiagnostics.Instruments.WorkerIterationDuration,
        unit: "s",
        description: "Duration of workers' iterations, without what they waited for before they began.",
        advice: new InstrumentAdvice<double>
        {
            HistogramBucketBoundaries = [0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900],
        });

    public void Record(string worker, string iteration, CallOutcome outcome, TimeSpan duration)
    {
        if (!_duration.Enabled)
        {
            return;
        }

        try
        {
            _duration.Record(
                duration.TotalSeconds,
                new KeyValuePair<string, object?>(ResilienceDiagnostics.Tags.WorkerName, _workers.Of(worker)),
                new KeyValuePair<string, object?>(ResilienceDiagnostics.Tags.Iteration, _iterations.Of(iteration)),
                new KeyValuePair<string, object?>(ResilienceDiagnostics.Tags.Outcome, WorkOutcomes.NameOf(outcome)));
        }
        catch (Exception)
        {
            // Its failure must not cost the worker its iteration.
        }
    }
}
