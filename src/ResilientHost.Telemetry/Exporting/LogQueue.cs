using OpenTelemetry;
using OpenTelemetry.Logs;
using ResilientHost.Telemetry.Settings;

namespace ResilientHost.Telemetry.Exporting;

/// <summary>Log records that wait for their exporter. Logging never waits.</summary>
internal sealed class LogQueue(BaseExporter<LogRecord> exporter, Backlog backlog, BatchSettings batch)
    : BatchLogRecordExportProcessor(exporter, batch.MaxQueueSize + batch.MaxBatchSize, batch.ScheduleDelay, batch.ExportTimeout, batch.MaxBatchSize)
{
    public override void OnEnd(LogRecord data)
    {
        if (backlog.TryAdd())
        {
            base.OnEnd(data);
        }
    }
}
