using System.Diagnostics.Metrics;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using ResilientHost.Pipeline;
using ResilientHost.Telemetry.Exporting;
using static ResilientHost.ResilienceDiagnostics;

namespace ResilientHost.Tests.TelemetryPackage;

public sealed class MetricViewsTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void RequestDuration_OfAsManyEndpointsAsThereAreTags_LosesNoDisposition(bool exponential)
    {
        using var meter = new Meter(MeterName);
        var duration = meter.CreateHistogram(
            Instruments.RequestDuration, "s", advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.5, 1] });
        using var exporter = new Exporter();
        using var provider = Sdk.CreateMeterProviderBuilder()
            .AddMeter(MeterName)
            .AddView(instrument => ReferenceEquals(instrument.Meter, meter) ? MetricViews.Of(instrument, exponential) : MetricStreamConfiguration.Drop)
            .AddReader(new BaseExportingMetricReader(exporter))
            .Build();

        for (var endpoint = 0; endpoint <= EndpointPlans.MaxEndpointTags; endpoint++)
        {
            foreach (var disposition in RequestDisposition.All)
            {
                duration.Record(0.1, new(Tags.Endpoint, $"GET /{endpoint}"), new(Tags.Disposition, disposition));
            }
        }

        provider.ForceFlush();

        exporter.Overflown.ShouldBe(0);
        exporter.Series.ShouldBe((EndpointPlans.MaxEndpointTags + 1) * 7);
        exporter.Bounds.ShouldBe(exponential ? [] : [0.5, 1, double.PositiveInfinity], "the instrument's own advice stands");
    }

    private sealed class Exporter : BaseExporter<Metric>
    {
        public int Series { get; private set; }

        public int Overflown { get; private set; }

        public List<double> Bounds { get; } = [];

        public override ExportResult Export(in Batch<Metric> batch)
        {
            foreach (var metric in batch)
            {
                foreach (ref readonly var point in metric.GetMetricPoints())
                {
                    Series++;
                    foreach (var tag in point.Tags)
                    {
                        Overflown += tag.Key == "otel.metric.overflow" ? 1 : 0;
                    }

                    if (Series == 1 && metric.MetricType == MetricType.Histogram)
                    {
                        foreach (var bucket in point.GetHistogramBuckets())
                        {
                            Bounds.Add(bucket.ExplicitBound);
                        }
                    }
                }
            }

            return ExportResult.Success;
        }
    }
}
