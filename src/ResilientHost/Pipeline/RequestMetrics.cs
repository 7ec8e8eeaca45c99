using System.Diagnostics.Metrics;
using ResilientHost.Telemetry;

namespace ResilientHost.Pipeline;

/// <summary>How long requests took and what became of them.</summary>
internal sealed class RequestMetrics(ResilienceMeter meter)
{
    private readonly Histogram<double> _duration = meter.Meter.CreateHistogram(
        ResilienceDiagnostics.Instruments.RequestDuration,
        unit: "s",
        description: "Duration of requests that went through the layers.",
        advice: new InstrumentAdvice<double>
        {
            HistogramBucketBoundaries = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10],
        });

    /// <summary>Someone listens; if not, nobody needs to read an exact clock.</summary>
    public bool IsEnabled => _duration.Enabled;

    /// <summary>Records one request. Never throws: listeners' callbacks run in here, on the request's thread.</summary>
    public void Record(string endpoint, string disposition, TimeSpan duration)
    {
        try
        {
            _duration.Record(
                duration.TotalSeconds,
                new KeyValuePair<string, object?>(ResilienceDiagnostics.Tags.Endpoint, endpoint),
                new KeyValuePair<string, object?>(ResilienceDiagnostics.Tags.Disposition, disposition));
        }
        catch (Exception)
        {
            // Its failure must not cost the caller the answer.
        }
    }
}
