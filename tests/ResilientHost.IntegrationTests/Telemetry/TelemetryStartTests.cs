using Microsoft.Extensions.Configuration;

namespace ResilientHost.IntegrationTests.Telemetry;

/// <summary>What is wrong is said at the start, all of it, and without secrets.</summary>
[Collection(nameof(TelemetryCollection))]
public sealed class TelemetryStartTests
{
    [Theory]
    [InlineData("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4317")]
    [InlineData("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "/v1/traces")]
    [InlineData("OTEL_EXPORTER_OTLP_PROTOCOL", "http")]
    [InlineData("OTEL_EXPORTER_OTLP_LOGS_PROTOCOL", "grcp")]
    [InlineData("OTEL_EXPORTER_OTLP_COMPRESSION", "brotli")]
    [InlineData("OTEL_EXPORTER_OTLP_TIMEOUT", "10s")]
    [InlineData("OTEL_EXPORTER_OTLP_HEADERS", "no-value")]
    [InlineData("OTEL_TRACES_SAMPLER", "sometimes")]
    [InlineData("OTEL_METRICS_EXPORTER", "promethues")]
    [InlineData("OTEL_METRIC_EXPORT_INTERVAL", "0")]
    [InlineData("OTEL_RESOURCE_ATTRIBUTES", "team")]
    [InlineData("OTEL_SDK_DISABLED", "yes")]
    public async Task Start_InvalidVariable_FailsAndNamesIt(string variable, string value) =>
        (await TestService.FailToStartAsync(TelemetryService.Setup("http://localhost:4317", "grpc", configure: null, (variable, value)))).ShouldContain(variable);

    [Theory]
    [InlineData("OTEL_METRICS_EXPORTER", "prometheus")]
    [InlineData("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json")]
    [InlineData("OTEL_TRACES_SAMPLER", "xray")]
    [InlineData("OTEL_EXPORTER_OTLP_TIMEOUT", "0")]
    public async Task Start_ValueThatOthersUnderstand_IsToldAndTheServiceRuns(string variable, string value)
    {
        await using var receiver = await OtlpReceiver.StartAsync();
        await using var service = await TestService.StartAsync(TelemetryService.Setup(receiver.EndpointOf("http/protobuf"), "http/protobuf", configure: null, (variable, value)));

        (await service.StatusOfAsync("/products/1")).ShouldBe(200);

        service.Logs.Entries.Where(log => log.EventId.Id == 3006).ShouldHaveSingleItem().Message.ShouldContain(variable);
        await TestService.EventuallyAsync(() => Task.FromResult(receiver.Spans.Any(span => span.Name == "GET /products/{id}")), "the span");
    }

    [Fact]
    public async Task Start_SdkDisabled_JudgesNoOtherVariable()
    {
        await using var service = await TestService.StartAsync(TelemetryService.Setup(
            "collector:4317", "carrier pigeon", configure: null, ("OTEL_SDK_DISABLED", "true"), ("OTEL_TRACES_SAMPLER", "sometimes")));

        (await service.StatusOfAsync("/products/1")).ShouldBe(200);
    }

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
