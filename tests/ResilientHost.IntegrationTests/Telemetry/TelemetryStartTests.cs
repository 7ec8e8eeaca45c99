using Microsoft.Extensions.Configuration;

namespace ResilientHost.IntegrationTests.Telemetry;

/// <summary>What is wrong is said at the start, all of it, and without secrets.</summary>
[Collection(nameof(TelemetryCollection))]
public sealed class TelemetryStartTests
{
    [Theory]
    [InlineData("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4317")]
    [InlineData("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "/v1/traces")]
    [InlineData("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json")]
    [InlineData("OTEL_EXPORTER_OTLP_LOGS_PROTOCOL", "grcp")]
    [InlineData("OTEL_EXPORTER_OTLP_COMPRESSION", "brotli")]
    [InlineData("OTEL_EXPORTER_OTLP_TIMEOUT", "10s")]
    [InlineData("OTEL_EXPORTER_OTLP_HEADERS", "no-value")]
    [InlineData("OTEL_TRACES_SAMPLER", "sometimes")]
    [InlineData("OTEL_METRICS_EXPORTER", "prometheus")]
    [InlineData("OTEL_METRIC_EXPORT_INTERVAL", "0")]
    [InlineData("OTEL_RESOURCE_ATTRIBUTES", "team")]
    [InlineData("OTEL_SDK_DISABLED", "yes")]
    public async Task Start_InvalidVariable_FailsAndNamesIt(string variable, string value) =>
        (await TestService.FailToStartAsync(TelemetryService.Setup("http://localhost:4317", "grpc", configure: null, (variable, value)))).ShouldContain(variable);

    [Fact]
    public async Task Start_SeveralFaults_NamesAllAndNoSecret()
    {
        var message = await TestService.FailToStartAsync(TelemetryService.Setup(
            "http://localhost:4317", "grpc", configure: options => options.FlushTimeout = TimeSpan.Zero, ("OTEL_EXPORTER_OTLP_HEADERS", "secret-key"), ("OTEL_TRACES_SAMPLER", "sometimes")));

        message.ShouldContain("OTEL_EXPORTER_OTLP_HEADERS");
        message.ShouldContain("OTEL_TRACES_SAMPLER");
        message.ShouldContain("FlushTimeout");
        message.ShouldNotContain("secret-key");
    }

    [Theory]
    [InlineData("Serilog:MinimumLevel", "Chatty", "Chatty")]
    [InlineData("Serilog:WriteTo:0:Name", "Consle", "Consle")]
    [InlineData("Serilog:Using:0", "Serilog.Sinks.Nowhere", "Serilog.Sinks.Nowhere")]
    public async Task Start_InvalidSerilogSection_FailsAndSaysWhy(string key, string value, string mention)
    {
        var setup = new TestServiceSetup
        {
            Builder = builder =>
            {
                builder.Configuration.AddInMemoryCollection([new(key, value)]);
                builder.AddResilienceTelemetry();
            },
        };

        var message = await TestService.FailToStartAsync(setup);
        message.ShouldContain("Section Serilog");
        message.ShouldContain(mention);
    }
}
