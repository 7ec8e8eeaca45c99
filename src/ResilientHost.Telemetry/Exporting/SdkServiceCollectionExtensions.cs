using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry;
using OpenTelemetry.Logs;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;
using ResilientHost.Telemetry.Settings;

namespace ResilientHost.Telemetry.Exporting;

/// <summary>The SDK's three providers among the application's own services: it then reads the application's configuration, and what the application adds to them counts.</summary>
internal static class SdkServiceCollectionExtensions
{
    private static readonly string[] Sources = [ResilienceDiagnostics.ActivitySourceName, "Microsoft.AspNetCore", "System.Net.Http"];

    private static readonly string[] Meters =
    [
        ResilienceDiagnostics.MeterName,
        "Microsoft.AspNetCore.Hosting",
        "Microsoft.AspNetCore.Server.Kestrel",
        "Microsoft.AspNetCore.Routing",
        "Microsoft.AspNetCore.Diagnostics",
        "Microsoft.AspNetCore.RateLimiting",
        "Microsoft.AspNetCore.HeaderParsing",
        "Microsoft.AspNetCore.Http.Connections",
        "Microsoft.AspNetCore.Authentication",
        "Microsoft.AspNetCore.Authorization",
        "Microsoft.AspNetCore.MemoryPool",
        "System.Net.Http",
        "System.Net.NameResolution",
        "System.Runtime",
    ];

    public static void AddOpenTelemetrySdk(this IServiceCollection services)
    {
        var builder = new SdkBuilder(services);
        builder
            .ConfigureResource(static resource => resource
                .AddDetector(static provider => new ServiceResource(provider))

                // Once more behind ours: what the place says where the service runs beats what the code says.
                .AddEnvironmentVariableDetector())
            .WithTracing()
            .WithMetrics()
            .WithLogging();
        services.AddOptions<OpenTelemetryLoggerOptions>().Configure<ResilienceTelemetryOptions>(static (logging, options) =>
        {
            logging.IncludeScopes = options.IncludeScopes;
            logging.IncludeFormattedMessage = true;
        });
        services.ConfigureOpenTelemetryTracerProvider(ConfigureTracing);
        services.ConfigureOpenTelemetryMeterProvider(ConfigureMetrics);
        services.ConfigureOpenTelemetryLoggerProvider(ConfigureLogging);
    }

    private static void ConfigureTracing(IServiceProvider services, TracerProviderBuilder tracing)
    {
        var settings = services.GetRequiredService<TelemetrySettings>();
        if (settings.Traces is not { } otlp)
        {
            return;
        }

        tracing.AddSource([.. Sources, .. services.GetRequiredService<ResilienceTelemetryOptions>().ActivitySources]);
        var watch = new ExportWatch(otlp, services);
        var backlog = new Backlog(settings.Spans.MaxQueueSize + settings.Spans.MaxBatchSize, watch.Overflowed);
        tracing.AddProcessor(new SpanQueue(new WatchedTraceExporter(otlp, watch, backlog), backlog, settings.Spans));
    }

    private static void ConfigureMetrics(IServiceProvider services, MeterProviderBuilder metrics)
    {
        var settings = services.GetRequiredService<TelemetrySettings>();
        if (settings.Metrics is not { } otlp)
        {
            return;
        }

        metrics.AddMeter([.. Meters, .. services.GetRequiredService<ResilienceTelemetryOptions>().Meters]);
        metrics.AddView(instrument => MetricViews.Of(instrument, settings.HasExponentialHistograms));
        metrics.AddReader(new PeriodicExportingMetricReader(
            new WatchedMetricExporter(otlp, new ExportWatch(otlp, services, repeats: settings.Temporality == MetricReaderTemporalityPreference.Cumulative)), settings.MetricInterval, settings.MetricTimeout)
        {
            TemporalityPreference = settings.Temporality,
        });
    }

    private static void ConfigureLogging(IServiceProvider services, LoggerProviderBuilder logging)
    {
        var settings = services.GetRequiredService<TelemetrySettings>();
        if (settings.Logs is not { } otlp)
        {
            return;
        }

        var watch = new ExportWatch(otlp, services);
        var backlog = new Backlog(settings.LogRecords.MaxQueueSize + settings.LogRecords.MaxBatchSize, watch.Overflowed);
        logging.AddProcessor(new LogQueue(new WatchedLogExporter(otlp, watch, backlog), backlog, settings.LogRecords));
    }

    private sealed class SdkBuilder(IServiceCollection services) : IOpenTelemetryBuilder
    {
        public IServiceCollection Services => services;
    }
}
