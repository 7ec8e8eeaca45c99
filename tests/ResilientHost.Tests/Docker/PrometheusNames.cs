using System.Diagnostics.Metrics;
using System.Reflection;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

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

    // By name: their instruments are made by a package or a slice that the host below does not load or call.
    private static readonly Dictionary<string, string[]> Elsewhere = new(StringComparer.Ordinal)
    {
        ["resilient_host.telemetry.exports"] = ["resilient_host_telemetry_exports_total"],
        ["resilient_host.telemetry.dropped"] = ["resilient_host_telemetry_dropped_total"],
    };

    /// <summary>Every series of the suite's, from the instruments that a host really makes.</summary>
    public static IReadOnlySet<string> OfInstruments()
    {
        var found = new HashSet<string>(Elsewhere.Values.SelectMany(static names => names), StringComparer.Ordinal);
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

        lock (found)
        {
            return new HashSet<string>(found, StringComparer.Ordinal);
        }
    }

    /// <summary>The labels that a series of the suite's may have.</summary>
    public static IReadOnlySet<string> OfTags() => typeof(ResilienceDiagnostics.Tags)
        .GetFields(BindingFlags.Public | BindingFlags.Static)
        .Select(static field => Escape((string)field.GetRawConstantValue()!))
        .Concat(["job", "instance", "le", "alertname", "alertstate", "exporter", "http_route", "http_response_status_code", "resilient_host_telemetry_signal", "resilient_host_telemetry_drop_reason"])
        .ToHashSet(StringComparer.Ordinal);

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

    // What is left of a query without strings, matchers, groupings and the names of functions is metrics.
    private static string Bare(string query) => Groupings().Replace(Matchers().Replace(Unquoted(query), " "), " ");

    private static string Unquoted(string query) => Quoted().Replace(query, "\"\"");

    [GeneratedRegex("\"[^\"]*\"")]
    private static partial Regex Quoted();

    [GeneratedRegex(@"\{[^}]*\}")]
    private static partial Regex Matchers();

    [GeneratedRegex(@"([a-z_]+)\s*(=~|!~|!=|=)")]
    private static partial Regex Label();

    [GeneratedRegex(@"\b(?:by|without|on|ignoring)\s*\(([^)]*)\)")]
    private static partial Regex Groupings();

    [GeneratedRegex(@"(?<![\w$:])(?!(?:and|or|unless|offset|bool)\b)[A-Za-z_:][\w:]*(?!\s*\(|[\w:])")]
    private static partial Regex Name();
}
