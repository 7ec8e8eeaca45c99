using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using ResilientHost.Telemetry.Settings;

namespace ResilientHost.Telemetry.Exporting;

/// <summary>Exports metrics and tells how that went.</summary>
internal sealed class WatchedMetricExporter(OtlpSettings otlp, ExportWatch watch) : OtlpMetricExporter(otlp.ToOptions())
{
    public override ExportResult Export(in Batch<Metric> metrics)
    {
        ExporterFaults.Begin();
        var result = base.Export(metrics);
        watch.Exported(result, metrics.Count);
        return result;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            watch.Dispose();
        }

        base.Dispose(disposing);
    }
}
