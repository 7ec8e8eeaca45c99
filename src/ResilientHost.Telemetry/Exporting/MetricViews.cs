using System.Diagnostics.Metrics;
using OpenTelemetry.Metrics;
using ResilientHost.Pipeline;
using static ResilientHost.ResilienceDiagnostics;

namespace ResilientHost.Telemetry.Exporting;

/// <summary>What the SDK is told of instruments beyond their own advice: buckets, and how many series they may have.</summary>
internal static class MetricViews
{
    // The SDK's defaults are made for milliseconds; every duration here is in seconds. 1 ms to 10 s, and what is beyond.
    private static readonly double[] Seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

    // Beyond 2,000 series, its default, the SDK adds up what comes in one without tags. Those that come late are the failures, and a failure without its disposition looks
    // as if it were a success. The suite caps endpoints itself: this is room for each of them, and "other", with every disposition.
    private static readonly int MaxRequestSeries = (EndpointPlans.MaxEndpointTags + 1) * RequestDisposition.All.Count;

    public static MetricStreamConfiguration? Of(Instrument instrument, bool exponential)
    {
        var view = BucketsOf(instrument, exponential);
        if (instrument.Meter.Name == MeterName && instrument.Name == Instruments.RequestDuration)
        {
            view ??= new();
            view.CardinalityLimit = MaxRequestSeries;
        }

        return view;
    }

    private static MetricStreamConfiguration? BucketsOf(Instrument instrument, bool exponential) => instrument switch
    {
        Histogram<double> or Histogram<long> or Histogram<int> or Histogram<float> when exponential => new Base2ExponentialBucketHistogramConfiguration(),
        Histogram<double> { Unit: "s", Advice: null or { HistogramBucketBoundaries: null } } => new ExplicitBucketHistogramConfiguration { Boundaries = Seconds },
        _ => null,
    };
}
