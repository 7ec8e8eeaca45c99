using System.Diagnostics;
using OpenTelemetry;
using ResilientHost.Telemetry.Settings;

namespace ResilientHost.Telemetry.Exporting;

/// <summary>Spans that wait for their exporter. Ending a span never waits.</summary>
internal sealed class SpanQueue(BaseExporter<Activity> exporter, Backlog backlog, BatchSettings batch)
    : BatchActivityExportProcessor(exporter, batch.MaxQueueSize + batch.MaxBatchSize, batch.ScheduleDelay, batch.ExportTimeout, batch.MaxBatchSize)
{
    public override void OnEnd(Activity data)
    {
        if (!data.Recorded || backlog.TryAdd())
        {
            base.OnEnd(data);
        }
    }
}
