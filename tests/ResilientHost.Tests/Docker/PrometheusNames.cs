using System.Diagnostics.Metrics;
using System.Reflection;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using ResilientHost.CircuitBreaking;
using ResilientHost.Degradation;
using ResilientHost.Pipeline;
using ResilientHost.Recovery;
using ResilientHost.Telemetry.Exporting;
using ResilientHost.Workers;

namespace ResilientHost.Tests.Docker;

/// <summary>What Prometheus calls the suite's metrics, and which names a query uses.</summary>
/// <remarks>The translation is that of OpenTelemetry's "Prometheus and OpenMetrics Compatibility" with escaping and suffixes, the collector's default.</remarks>
internal static partial class PrometheusNames
{
    /// <summary>Metrics that rules and dashboards may use besides ours: of .NET 10, of the collector and of Prometheus.</summary>
    public static readonly string[] Foreign =
    [
        "dotnet_process_cpu_time_seconds_total", "dotnet_process_memory_working_set_bytes", "dotnet_thread_pool_queue_length", "kestrel_active_connections",
        "http_server_request_duration_seconds_count", "http_client_request_duration_seconds_count",
        "otelcol_exporter_send_failed_metric_points_total", "otelcol_exporter_send_failed_spans_total",
        "otelcol_exporter_enqueue_failed_metric_points_total", "otelcol_exporter_enqueue_failed_spans_total",
        "up", "ALERTS",
    ];

    private static readonly string[] Makers = ["Metrics", "Telemetry", "Registry", "Runner", "Containment"];

    // Of the tags that have a closed set of values: a rule that asks for any other is dead, and looks as if all were well.
    private static readonly Dictionary<string, IReadOnlyCollection<string>> ClosedSets = new(StringComparer.Ordinal)
    {
        [Escape(ResilienceDiagnostics.Tags.Disposition)] = RequestDisposition.All,
        [Escape(ResilienceDiagnostics.Tags.CircuitState)] = [.. Enum.GetValues<CircuitState>().Select(CircuitNames.Of)],
        [Escape(ResilienceDiagnostics.Tags.CircuitFrom)] = [.. Enum.GetValues<CircuitState>().Select(CircuitNames.Of)],
        [Escape(ResilienceDiagnostics.Tags.CircuitTo)] = [.. Enum.GetValues<CircuitState>().Select(CircuitNames.Of)],
        [Escape(ResilienceDiagnostics.Tags.WorkerState)] = [.. Enum.GetValues<WorkerState>().Select(WorkerNames.Of)],
        [Escape(ResilienceDiagnostics.Tags.WorkerCause)] = ["failure", "returned", "silence", "group", "manual"],
        [Escape(ResilienceDiagnostics.Tags.ServiceLevelFrom)] = [.. Enum.GetValues<ServiceLevel>().Select(DegradationNames.Of)],
        [Escape(ResilienceDiagnostics.Tags.ServiceLevelTo)] = [.. Enum.GetValues<ServiceLevel>().Select(DegradationNames.Of)],
        [Escape(ResilienceDiagnostics.Tags.ServiceLevelCause)] = [.. Enum.GetValues<ServiceLevelCause>().Select(DegradationNames.Of)],
        [Escape(ResilienceDiagnostics.Tags.Criticality)] = [.. Enum.GetValues<Criticality>().Select(DegradationNames.Of)],
        [Escape(ResilienceDiagnostics.Tags.Signal)] = ConstantsOf(typeof(ResilienceDiagnostics.SignalNames)),
        [Escape(ResilienceDiagnostics.Tags.ExceptionOrigin)] = ConstantsOf(typeof(ExceptionOrigins)),
        [Escape(ResilienceDiagnostics.Tags.TelemetrySignal)] = ConstantsOf(typeof(ResilienceDiagnostics.TelemetryTagValues)),
        [Escape(ResilienceDiagnostics.Tags.TelemetryResult)] = ConstantsOf(typeof(ResilienceDiagnostics.TelemetryTagValues)),
        [Escape(ResilienceDiagnostics.Tags.TelemetryDropReason)] = ConstantsOf(typeof(ResilienceDiagnostics.TelemetryTagValues)),
    };

    /// <summary>Every series of the suite's, from the instruments that a host really makes.</summary>
    public static IReadOnlySet<string> OfInstruments()
    {
        var found = new HashSet<string>(StringComparer.Ordinal);
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, _) =>
            {
                if (instrument.Meter.Name == ResilienceDiagnostics.MeterName)
                {
                    lock (found)
                    {
                        found.UnionWith(Translate(instrument));
                    }
                }
            },
        };
        listener.Start();

        var builder = WebApplication.CreateSlimBuilder();
        builder.AddResilienceLayers();
        builder.Services.AddHttpClient("any").AddResilienceLayers("any");
        using var app = builder.Build();
        foreach (var metrics in builder.Services.Select(static service => service.ServiceType).Where(IsMetrics).Distinct().ToList())
        {
            app.Services.GetService(metrics);
        }

        _ = new TelemetryMetrics(app.Services.GetRequiredService<IMeterFactory>());

        lock (found)
        {
            return new HashSet<string>(found, StringComparer.Ordinal);
        }
    }

    /// <summary>The labels that a series of the suite's may have.</summary>
    public static IReadOnlySet<string> OfTags() => typeof(ResilienceDiagnostics.Tags)
        .GetFields(BindingFlags.Public | BindingFlags.Static)
        .Select(static field => Escape((string)field.GetRawConstantValue()!))
        .Concat(["job", "instance", "le", "alertname", "alertstate", "exporter", "http_route", "http_response_status_code"])
        .ToHashSet(StringComparer.Ordinal);

    /// <summary>What matchers of a query ask for that no series of the suite's can have.</summary>
    public static IEnumerable<string> ImpossibleValues(string query) =>
        Matcher().Matches(query)
            .Where(static match => ClosedSets.ContainsKey(match.Groups["label"].Value))
            .SelectMany(static match => match.Groups["values"].Value.Split('|').Select(value => (Label: match.Groups["label"].Value, Value: value)))
            .Where(static asked => !ClosedSets[asked.Label].Contains(asked.Value))
            .Select(static asked => $"{asked.Label}={asked.Value}");

    /// <summary>Names of metrics in a query.</summary>
    public static IEnumerable<string> Metrics(string query) => Name().Matches(Bare(query)).Select(static match => match.Value).Distinct(StringComparer.Ordinal);

    /// <summary>Names of labels in a query, of matchers and of groupings.</summary>
    public static IEnumerable<string> Labels(string query) =>
        Matchers().Matches(Unquoted(query)).SelectMany(static match => Label().Matches(match.Value).Select(static label => label.Groups[1].Value))
            .Concat(Groupings().Matches(Unquoted(query)).SelectMany(static match => match.Groups[1].Value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)))
            .Distinct(StringComparer.Ordinal);

    // Whoever makes instruments makes them when it is made itself.
    private static bool IsMetrics(Type type) =>
        type.Assembly == typeof(ResilienceDiagnostics).Assembly && !type.IsGenericTypeDefinition && Makers.Any(ending => type.Name.EndsWith(ending, StringComparison.Ordinal));

    private static IEnumerable<string> Translate(Instrument instrument)
    {
        var kind = instrument.GetType().Name;
        var name = Escape(instrument.Name);
        name += instrument.Unit switch
        {
            "s" => "_seconds",
            "By" => "_bytes",
            "1" when kind.Contains("Gauge", StringComparison.Ordinal) => "_ratio",
            _ => "",
        };
        return kind.StartsWith("Histogram", StringComparison.Ordinal) ? [$"{name}_bucket", $"{name}_count", $"{name}_sum"]
            : kind.Contains("Counter", StringComparison.Ordinal) && !kind.Contains("UpDown", StringComparison.Ordinal) ? [$"{name}_total"]
            : [name];
    }

    private static string Escape(string name) => name.Replace('.', '_');

    private static string[] ConstantsOf(Type type) =>
        [.. type.GetFields(BindingFlags.Public | BindingFlags.Static).Where(static field => field.IsLiteral).Select(static field => (string)field.GetRawConstantValue()!)];

    // What is left of a query without strings, matchers, groupings and the names of functions is metrics.
    private static string Bare(string query) => Groupings().Replace(Matchers().Replace(Unquoted(query), " "), " ");

    private static string Unquoted(string query) => Quoted().Replace(query, "\"\"");

    [GeneratedRegex("\"[^\"]*\"")]
    private static partial Regex Quoted();

    [GeneratedRegex(@"\{[^}]*\}")]
    private static partial Regex Matchers();

    [GeneratedRegex("(?<label>resilient_host_[a-z_]+)\\s*(?:=~|!~|!=|=)\\s*\"(?<values>[^\"]*)\"")]
    private static partial Regex Matcher();

    [GeneratedRegex(@"([a-z_]+)\s*(=~|!~|!=|=)")]
    private static partial Regex Label();

    [GeneratedRegex(@"\b(?:by|without|on|ignoring)\s*\(([^)]*)\)")]
    private static partial Regex Groupings();

    [GeneratedRegex(@"(?<![\w$:])(?!(?:and|or|unless|offset|bool)\b)[A-Za-z_:][\w:]*(?!\s*\(|[\w:])")]
    private static partial Regex Name();
}
