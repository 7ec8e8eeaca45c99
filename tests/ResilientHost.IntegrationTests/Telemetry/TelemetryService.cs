using Microsoft.Extensions.Configuration;

namespace ResilientHost.IntegrationTests.Telemetry;

/// <summary>Activity sources are the process's: a host that exports hears the requests of every other one. These tests run alone.</summary>
[CollectionDefinition(nameof(TelemetryCollection), DisableParallelization = true)]
public sealed class TelemetryCollection;

/// <summary>A service that exports at once what it has to say.</summary>
internal static class TelemetryService
{
    public const string Name = "telemetry-under-test";

    public static TestServiceSetup Setup(string? endpoint, string protocol = "grpc", Action<ResilienceTelemetryOptions>? configure = null, params (string Name, string Value)[] variables) => new()
    {
        Configuration = """{ "CircuitBreakers": { "fragile": { "ConsecutiveFailures": 2, "BreakDuration": "00:01:00" } } }""",
        Builder = builder =>
        {
            var settings = new Dictionary<string, string?>
            {
                ["OTEL_EXPORTER_OTLP_ENDPOINT"] = endpoint,
                ["OTEL_EXPORTER_OTLP_PROTOCOL"] = protocol,
                ["OTEL_SERVICE_NAME"] = Name,
                ["OTEL_BSP_SCHEDULE_DELAY"] = "100",
                ["OTEL_BLRP_SCHEDULE_DELAY"] = "100",
                ["OTEL_METRIC_EXPORT_INTERVAL"] = "200",
            };
            foreach (var (name, value) in variables)
            {
                settings[name] = value;
            }

            builder.Configuration.AddInMemoryCollection(settings);
            builder.AddResilienceTelemetry(options =>
            {
                options.UseSerilog = false;
                options.FlushTimeout = TimeSpan.FromSeconds(2);
                configure?.Invoke(options);
            });
        },
        Endpoints = app =>
        {
            app.MapGet("/products/{id}", (string id, ILogger<OtlpReceiver> logger) =>
            {
                logger.LogWarning("Product {Product} is nearly sold out.", id);
                return "a product";
            });
            app.MapGet("/broken", static string () => throw new InvalidDataException("no such thing"));
            app.MapGet("/fragile", static () => Results.StatusCode(502)).WithCircuitBreaker("fragile");
            app.MapResilienceHealth();
        },
    };
}
