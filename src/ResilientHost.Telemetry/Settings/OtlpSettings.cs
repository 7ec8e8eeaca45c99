using OpenTelemetry.Exporter;

namespace ResilientHost.Telemetry.Settings;

/// <summary>Where one signal goes, and how.</summary>
/// <param name="Signal">One of <see cref="ResilienceDiagnostics.TelemetryTagValues"/>.</param>
/// <param name="Endpoint">With the signal's path where the protocol has one.</param>
/// <param name="Protocol">How it is spoken to.</param>
/// <param name="Headers">As the variable has them; may hold secrets.</param>
/// <param name="TimeoutMilliseconds">Of one export.</param>
/// <param name="Compression">Of a batch.</param>
internal sealed record OtlpSettings(string Signal, Uri Endpoint, OtlpExportProtocol Protocol, string? Headers, int TimeoutMilliseconds, OtlpExportCompression Compression)
{
    /// <summary>The endpoint for people: without password, path and query, which is where keys stand.</summary>
    public string Address => Endpoint.GetComponents(UriComponents.SchemeAndServer, UriFormat.UriEscaped);

    public OtlpExporterOptions ToOptions() => new()
    {
        Endpoint = Endpoint,
        Protocol = Protocol,
        Headers = Headers,
        TimeoutMilliseconds = TimeoutMilliseconds,
        Compression = Compression,
    };
}

/// <summary>How spans or log records are batched, in milliseconds and items.</summary>
internal sealed record BatchSettings(int ScheduleDelay, int ExportTimeout, int MaxQueueSize, int MaxBatchSize);
