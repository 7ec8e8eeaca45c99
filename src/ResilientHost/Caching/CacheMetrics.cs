using System.Diagnostics.Metrics;
using ResilientHost.Telemetry;

namespace ResilientHost.Caching;

/// <summary>Instruments of the slice. No member throws: listeners' callbacks run in here.</summary>
internal sealed class CacheMetrics
{
    private readonly Counter<long> _reads;
    private readonly Histogram<double> _factoryDuration;

    public CacheMetrics(ResilienceMeter meter)
    {
        _reads = meter.Meter.CreateCounter<long>(ResilienceDiagnostics.Instruments.CacheReads, "{read}", "Reads through a cache, by what they found.");
        _factoryDuration = meter.Meter.CreateHistogram(
            ResilienceDiagnostics.Instruments.CacheFactoryDuration,
            "s",
            "Time that a cache's factory ran.",
            tags: null,
            new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60] });
    }

    public void Read(string cache, CacheRead read)
    {
        if (!_reads.Enabled)
        {
            return;
        }

        try
        {
            _reads.Add(1, new(ResilienceDiagnostics.Tags.CacheName, cache), new(ResilienceDiagnostics.Tags.CacheResult, CacheNames.Of(read)));
        }
        catch (Exception)
        {
            // A meter listener that throws would otherwise fail a read.
        }
    }

    public void FactoryEnded(string cache, CallOutcome outcome, TimeSpan duration)
    {
        try
        {
            _factoryDuration.Record(duration.TotalSeconds, new(ResilienceDiagnostics.Tags.CacheName, cache), new(ResilienceDiagnostics.Tags.Outcome, CacheNames.Of(outcome)));
        }
        catch (Exception)
        {
            // As above.
        }
    }
}
