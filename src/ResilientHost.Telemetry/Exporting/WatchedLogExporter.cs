using Microsoft.Extensions.Logging;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Logs;
using OpenTelemetry.Resources;
using ResilientHost.Telemetry.Settings;

namespace ResilientHost.Telemetry.Exporting;

/// <summary>Exports log records and tells how that went.</summary>
/// <remarks>
/// The SDK's exporter is sealed, so it is held, not derived from. It learns its resource from the provider that it hangs on, and only the SDK can hang it there: it gets
/// a provider of its own with the same resource, which nobody logs to.
/// </remarks>
internal sealed class WatchedLogExporter(OtlpSettings otlp, ExportWatch watch, Backlog backlog) : BaseExporter<LogRecord>
{
    private readonly Lock _gate = new();
    private OtlpLogExporter? _exporter;
    private ILoggerFactory? _holder;

    public override ExportResult Export(in Batch<LogRecord> batch)
    {
        var items = batch.Count;
        ExporterFaults.Begin();
        ExportResult result;
        try
        {
            result = Open().Export(batch);
        }
        catch (Exception)
        {
            result = ExportResult.Failure;
        }

        backlog.Remove(items);
        watch.Exported(result, items);
        return result;
    }

    protected override bool OnShutdown(int timeoutMilliseconds)
    {
        lock (_gate)
        {
            return _exporter?.Shutdown(timeoutMilliseconds) ?? true;
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            lock (_gate)
            {
                _holder?.Dispose();
            }

            watch.Dispose();
        }

        base.Dispose(disposing);
    }

    private OtlpLogExporter Open()
    {
        if (_exporter is { } open)
        {
            return open;
        }

        lock (_gate)
        {
            var exporter = new OtlpLogExporter(otlp.ToOptions());
            var resource = ResourceBuilder.CreateEmpty().AddAttributes(ParentProvider.GetResource().Attributes);
            _holder = LoggerFactory.Create(logging => logging.AddOpenTelemetry(options => options
                .SetResourceBuilder(resource)
                .AddProcessor(new SimpleLogRecordExportProcessor(exporter))));

            // The provider is made for the first logger, not before.
            _ = _holder.CreateLogger(nameof(WatchedLogExporter));
            return _exporter = exporter;
        }
    }
}
