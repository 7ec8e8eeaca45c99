using Microsoft.Extensions.Configuration;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using static ResilientHost.ResilienceDiagnostics;

namespace ResilientHost.Telemetry.Settings;

/// <summary>What the standard variables say, read once. Immutable.</summary>
/// <remarks>
/// The SDK reads some of them itself, from the same configuration: sampler, resource, exemplars. Those are only checked here, since it ignores what it does not understand:
/// a service whose sampler is misspelt would trace everything.
/// </remarks>
internal sealed class TelemetrySettings
{
    private static readonly Dictionary<string, OtlpExportProtocol> Protocols = new(StringComparer.OrdinalIgnoreCase)
    {
        ["grpc"] = OtlpExportProtocol.Grpc,
        ["http/protobuf"] = OtlpExportProtocol.HttpProtobuf,
    };

    // The same port and paths.
    private static readonly Dictionary<string, OtlpExportProtocol> OtherProtocols = new(StringComparer.OrdinalIgnoreCase) { ["http/json"] = OtlpExportProtocol.HttpProtobuf };

    private static readonly Dictionary<string, OtlpExportCompression> Compressions = new(StringComparer.OrdinalIgnoreCase)
    {
        ["none"] = OtlpExportCompression.None,
        ["gzip"] = OtlpExportCompression.GZip,
    };

    private static readonly string[] OtherExporters = ["console", "logging", "otlp/stdout", "prometheus", "zipkin", "jaeger"];

    private static readonly Dictionary<string, bool> Switches = new(StringComparer.OrdinalIgnoreCase) { ["true"] = true, ["false"] = false };

    private static readonly Dictionary<string, bool> HistogramKinds = new(StringComparer.OrdinalIgnoreCase)
    {
        ["explicit_bucket_histogram"] = false,
        ["base2_exponential_bucket_histogram"] = true,
    };

    private static readonly Dictionary<string, MetricReaderTemporalityPreference> Temporalities = new(StringComparer.OrdinalIgnoreCase)
    {
        ["cumulative"] = MetricReaderTemporalityPreference.Cumulative,
        ["delta"] = MetricReaderTemporalityPreference.Delta,
        ["lowmemory"] = MetricReaderTemporalityPreference.LowMemory,
    };

    private static readonly string[] Samplers =
        ["parentbased_always_on", "parentbased_always_off", "parentbased_traceidratio", "always_on", "always_off", "traceidratio"];

    private static readonly string[] OtherSamplers = ["jaeger_remote", "parentbased_jaeger_remote", "xray"];

    private static readonly string[] ExemplarFilters = ["always_on", "always_off", "trace_based"];

    private readonly SettingsReader _reader;

    public TelemetrySettings(IConfiguration configuration)
    {
        _reader = new(configuration);
        IsDisabled = _reader.Choice("OTEL_SDK_DISABLED", Switches, otherwise: false);
        var (traces, metrics, logs) = (
            Read(TelemetryTagValues.Traces, "v1/traces"),
            Read(TelemetryTagValues.Metrics, "v1/metrics"),
            Read(TelemetryTagValues.Logs, "v1/logs"));
        (Traces, Metrics, Logs) = IsDisabled ? default : (traces, metrics, logs);
        Spans = ReadBatch("OTEL_BSP", delay: 5000);
        LogRecords = ReadBatch("OTEL_BLRP", delay: 1000);
        MetricInterval = _reader.Number("OTEL_METRIC_EXPORT_INTERVAL", 60_000, least: 1);
        MetricTimeout = _reader.Bound("OTEL_METRIC_EXPORT_TIMEOUT", 30_000);
        Temporality = _reader.Choice("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", Temporalities, MetricReaderTemporalityPreference.Cumulative);
        HasExponentialHistograms = _reader.Choice("OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION", HistogramKinds, otherwise: false);
        _reader.CheckOneOf("OTEL_TRACES_SAMPLER", Samplers, OtherSamplers);
        if (_reader.Text("OTEL_TRACES_SAMPLER") is { } sampler && sampler.EndsWith("traceidratio", StringComparison.OrdinalIgnoreCase))
        {
            _reader.CheckRatio("OTEL_TRACES_SAMPLER_ARG");
        }

        _reader.CheckOneOf("OTEL_METRICS_EXEMPLAR_FILTER", ExemplarFilters);
        _reader.CheckPairs("OTEL_RESOURCE_ATTRIBUTES");
    }

    /// <summary>What is wrong with the variables, one sentence each; never a value that may be a secret. Nothing where they are switched off altogether.</summary>
    public IReadOnlyList<string> Problems => IsDisabled ? [] : _reader.Problems;

    /// <summary>Valid values for which there is only the next best, one sentence each.</summary>
    public IReadOnlyList<string> Warnings => IsDisabled ? [] : _reader.Warnings;

    /// <summary>Nothing is exported, whatever else is said, and nothing of that is judged.</summary>
    public bool IsDisabled { get; }

    /// <summary><see langword="null"/>: traces are not exported.</summary>
    public OtlpSettings? Traces { get; }

    /// <summary><see langword="null"/>: metrics are not exported.</summary>
    public OtlpSettings? Metrics { get; }

    /// <summary><see langword="null"/>: logs are not exported.</summary>
    public OtlpSettings? Logs { get; }

    public BatchSettings Spans { get; }

    public BatchSettings LogRecords { get; }

    /// <summary>Milliseconds.</summary>
    public int MetricInterval { get; }

    /// <summary>Milliseconds.</summary>
    public int MetricTimeout { get; }

    public MetricReaderTemporalityPreference Temporality { get; }

    public bool HasExponentialHistograms { get; }

    private OtlpSettings? Read(string signal, string path)
    {
        var name = signal.ToUpperInvariant();
        var isWanted = _reader.Names($"OTEL_{name}_EXPORTER", "otlp", OtherExporters);
        var common = _reader.Endpoint("OTEL_EXPORTER_OTLP_ENDPOINT");
        var own = _reader.Endpoint($"OTEL_EXPORTER_OTLP_{name}_ENDPOINT");
        var protocol = _reader.Choice(
            $"OTEL_EXPORTER_OTLP_{name}_PROTOCOL", Protocols, _reader.Choice("OTEL_EXPORTER_OTLP_PROTOCOL", Protocols, OtlpExportProtocol.Grpc, OtherProtocols), OtherProtocols);
        var compression = _reader.Choice(
            $"OTEL_EXPORTER_OTLP_{name}_COMPRESSION", Compressions, _reader.Choice("OTEL_EXPORTER_OTLP_COMPRESSION", Compressions, OtlpExportCompression.None));
        var timeout = _reader.Bound($"OTEL_EXPORTER_OTLP_{name}_TIMEOUT", _reader.Bound("OTEL_EXPORTER_OTLP_TIMEOUT", 10_000));
        var headers = _reader.CheckPairs($"OTEL_EXPORTER_OTLP_{name}_HEADERS") ?? _reader.CheckPairs("OTEL_EXPORTER_OTLP_HEADERS");
        if (!isWanted || (own ?? common) is not { } endpoint)
        {
            return null;
        }

        // A signal's own endpoint is taken as it is; the common one is the root of the paths that the specification names.
        var isRoot = own is null && protocol == OtlpExportProtocol.HttpProtobuf;
        return new(signal, isRoot ? Append(endpoint, path) : endpoint, protocol, headers, timeout, compression);
    }

    private BatchSettings ReadBatch(string prefix, int delay)
    {
        var queue = _reader.Number($"{prefix}_MAX_QUEUE_SIZE", 2048, least: 1);
        return new(
            _reader.Number($"{prefix}_SCHEDULE_DELAY", delay, least: 1),
            _reader.Number($"{prefix}_EXPORT_TIMEOUT", 30_000, least: 0),
            queue,
            _reader.Number($"{prefix}_MAX_EXPORT_BATCH_SIZE", Math.Min(512, queue), least: 1, most: queue));
    }

    private static Uri Append(Uri root, string path)
    {
        var builder = new UriBuilder(root);
        builder.Path = $"{builder.Path.TrimEnd('/')}/{path}";
        return builder.Uri;
    }
}
