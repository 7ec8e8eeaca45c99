using System.Diagnostics;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using ResilientHost.Telemetry.Settings;

namespace ResilientHost.Telemetry.Exporting;

/// <summary>Exports spans and tells how that went.</summary>
internal sealed class WatchedTraceExporter(OtlpSettings otlp, ExportWatch watch, Backlog backlog) : OtlpTraceExporter(otlp.ToOptions())
{
    public override ExportResult Export(in Batch<Activity> activityBatch)
    {
        var items = activityBatch.Count;
        ExporterFaults.Begin();
        var result = base.Export(activityBatch);
        backlog.Remove(items);
        watch.Exported(result, items);
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
