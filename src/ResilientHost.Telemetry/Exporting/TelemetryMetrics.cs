using System.Diagnostics.Metrics;
using static ResilientHost.ResilienceDiagnostics;

namespace ResilientHost.Telemetry.Exporting;

/// <summary>Telemetry about telemetry: what was handed over, and what was lost.</summary>
internal sealed class TelemetryMetrics
{
    private readonly Counter<long> _exports;
    private readonly Counter<long> _dropped;

    public TelemetryMetrics(IMeterFactory factory)
    {
        var meter = factory.Create(MeterName);
        _exports = meter.CreateCounter<long>(Instruments.TelemetryExports, "{export}", "Batches that an exporter handed over or could not.");
        _dropped = meter.CreateCounter<long>(Instruments.TelemetryDropped, "{item}", "Spans, log records, metrics and console lines that are lost.");
    }

    public void Exported(string signal, bool succeeded) => _exports.Add(
        1,
        new(Tags.TelemetrySignal, signal),
        new(Tags.TelemetryResult, succeeded ? TelemetryTagValues.Succeeded : TelemetryTagValues.Failed));

    public void Dropped(string signal, string reason, long items) => _dropped.Add(
        items,
        new(Tags.TelemetrySignal, signal),
        new(Tags.TelemetryDropReason, reason));
}
