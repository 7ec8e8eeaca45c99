using Microsoft.Extensions.Configuration;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using ResilientHost.Telemetry.Settings;

namespace ResilientHost.Tests.TelemetryPackage;

public sealed class TelemetrySettingsTests
{
    [Fact]
    public void Read_NoVariable_ExportsNothingAndFindsNoFault()
    {
        var settings = Read();

        settings.Traces.ShouldBeNull();
        settings.Metrics.ShouldBeNull();
        settings.Logs.ShouldBeNull();
        settings.Problems.ShouldBeEmpty();
    }

    [Fact]
    public void Read_EndpointAlone_ExportsAllByGrpcWithTheSpecificationsDefaults()
    {
        var settings = Read(("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4317"));

        settings.Traces.ShouldBe(new OtlpSettings("traces", new("http://collector:4317"), OtlpExportProtocol.Grpc, null, 10_000, OtlpExportCompression.None));
        settings.Metrics.ShouldNotBeNull();
        settings.Logs.ShouldNotBeNull();
        settings.Spans.ShouldBe(new BatchSettings(5000, 30_000, 2048, 512));
        settings.LogRecords.ShouldBe(new BatchSettings(1000, 30_000, 2048, 512));
        (settings.MetricInterval, settings.Temporality, settings.HasExponentialHistograms).ShouldBe((60_000, MetricReaderTemporalityPreference.Cumulative, false));
    }

    [Theory]
    [InlineData("http://collector:4318", "http://collector:4318/v1/traces")]
    [InlineData("http://collector:4318/", "http://collector:4318/v1/traces")]
    [InlineData("https://collector/otlp", "https://collector/otlp/v1/traces")]
    public void Read_CommonEndpointOfHttp_AppendsTheSignalsPath(string endpoint, string expected) =>
        Read(("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint), ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")).Traces!.Endpoint.ShouldBe(new Uri(expected));

    [Fact]
    public void Read_VariablesOfASignal_BeatTheCommonOnesForThatSignal()
    {
        var settings = Read(
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4317"), ("OTEL_EXPORTER_OTLP_HEADERS", "a=1"), ("OTEL_EXPORTER_OTLP_TIMEOUT", "1000"),
            ("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "http://logs/in"), ("OTEL_EXPORTER_OTLP_LOGS_PROTOCOL", "http/protobuf"), ("OTEL_EXPORTER_OTLP_LOGS_HEADERS", "b=2"),
            ("OTEL_EXPORTER_OTLP_LOGS_TIMEOUT", "2000"), ("OTEL_EXPORTER_OTLP_LOGS_COMPRESSION", "gzip"));

        settings.Logs.ShouldBe(new OtlpSettings("logs", new("http://logs/in"), OtlpExportProtocol.HttpProtobuf, "b=2", 2000, OtlpExportCompression.GZip));
        settings.Traces.ShouldBe(new OtlpSettings("traces", new("http://collector:4317"), OtlpExportProtocol.Grpc, "a=1", 1000, OtlpExportCompression.None));
    }

    [Theory]
    [InlineData("true", null)]
    [InlineData("TRUE", null)]
    [InlineData("false", "traces")]
    [InlineData("", "traces")]
    public void Read_SdkDisabled_ExportsNothing(string disabled, string? signal) =>
        Read(("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4317"), ("OTEL_SDK_DISABLED", disabled)).Traces?.Signal.ShouldBe(signal);

    [Theory]
    [InlineData("OTEL_EXPORTER_OTLP_ENDPOINT", "localhost:4317", "OTEL_EXPORTER_OTLP_ENDPOINT must be an absolute address that begins with http:// or https://, such as http://localhost:4317.")]
    [InlineData("OTEL_EXPORTER_OTLP_PROTOCOL", "grcp", "OTEL_EXPORTER_OTLP_PROTOCOL must be grpc or http/protobuf, but is 'grcp'.")]
    [InlineData("OTEL_EXPORTER_OTLP_COMPRESSION", "br", "OTEL_EXPORTER_OTLP_COMPRESSION must be none or gzip, but is 'br'.")]
    [InlineData("OTEL_EXPORTER_OTLP_TIMEOUT", "-1", "OTEL_EXPORTER_OTLP_TIMEOUT must be a whole number of at least 1, but is '-1'.")]
    [InlineData("OTEL_EXPORTER_OTLP_HEADERS", "secret", "OTEL_EXPORTER_OTLP_HEADERS must be a list of name=value, separated by commas.")]
    [InlineData("OTEL_TRACES_EXPORTER", "otpl", "OTEL_TRACES_EXPORTER must be otlp or none, but is 'otpl'.")]
    [InlineData("OTEL_TRACES_EXPORTER", ",", "OTEL_TRACES_EXPORTER must be otlp or none, but is ','.")]
    [InlineData("OTEL_TRACES_SAMPLER", "some", "OTEL_TRACES_SAMPLER must be parentbased_always_on, parentbased_always_off, parentbased_traceidratio, always_on, always_off or traceidratio, but is 'some'.")]
    [InlineData("OTEL_SDK_DISABLED", "1", "OTEL_SDK_DISABLED must be true or false, but is '1'.")]
    [InlineData("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "2049", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE must be a whole number from 1 to 2048, but is '2049'.")]
    [InlineData("OTEL_RESOURCE_ATTRIBUTES", "=shop", "OTEL_RESOURCE_ATTRIBUTES must be a list of name=value, separated by commas.")]
    public void Read_InvalidValue_IsOneProblemThatSaysWhatIsRight(string variable, string value, string problem) =>
        Read((variable, value)).Problems.ShouldBe([problem]);

    [Theory]
    [InlineData("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json", "http/protobuf")]
    [InlineData("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/json", "http/protobuf")]
    [InlineData("OTEL_METRICS_EXPORTER", "prometheus", "none")]
    [InlineData("OTEL_TRACES_EXPORTER", "zipkin", "none")]
    [InlineData("OTEL_LOGS_EXPORTER", "otlp, console", "otlp")]
    [InlineData("OTEL_TRACES_SAMPLER", "xray", "parentbased_always_on")]
    [InlineData("OTEL_TRACES_SAMPLER", "parentbased_jaeger_remote", "parentbased_always_on")]
    [InlineData("OTEL_EXPORTER_OTLP_TIMEOUT", "0", "10000")]
    [InlineData("OTEL_METRIC_EXPORT_TIMEOUT", "0", "30000")]
    public void Read_ValidValueThatThereIsNot_IsToldAndTheNextBestIsTaken(string variable, string value, string instead)
    {
        var settings = Read((variable, value));

        settings.Problems.ShouldBeEmpty();
        settings.Warnings.ShouldBe([$"{variable} is '{value}', which is not supported here; {instead} is taken."]);
    }

    [Fact]
    public void Read_ValuesThatThereAreNot_AreTakenAsSaid()
    {
        var settings = Read(
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318"), ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"), ("OTEL_EXPORTER_OTLP_TIMEOUT", "0"),
            ("OTEL_METRICS_EXPORTER", "prometheus"), ("OTEL_LOGS_EXPORTER", "otlp,console"));

        settings.Traces.ShouldBe(new OtlpSettings("traces", new("http://collector:4318/v1/traces"), OtlpExportProtocol.HttpProtobuf, null, 10_000, OtlpExportCompression.None));
        settings.Metrics.ShouldBeNull();
        settings.Logs.ShouldNotBeNull();
    }

    [Fact]
    public void Read_SdkDisabled_JudgesNothing()
    {
        var settings = Read(("OTEL_SDK_DISABLED", "true"), ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector"), ("OTEL_TRACES_SAMPLER", "sometimes"), ("OTEL_METRICS_EXPORTER", "prometheus"));

        settings.Problems.ShouldBeEmpty();
        settings.Warnings.ShouldBeEmpty();
        settings.Traces.ShouldBeNull();
    }

    [Theory]
    [InlineData("0")]
    [InlineData("1")]
    [InlineData("0.25")]
    [InlineData("")]
    public void Read_RatioOfSamplerWithinBounds_IsNoProblem(string ratio) =>
        Read(("OTEL_TRACES_SAMPLER", "parentbased_traceidratio"), ("OTEL_TRACES_SAMPLER_ARG", ratio)).Problems.ShouldBeEmpty();

    [Theory]
    [InlineData("1.01")]
    [InlineData("-0.1")]
    [InlineData("NaN")]
    [InlineData("half")]
    public void Read_RatioOfSamplerBeyondBounds_IsAProblem(string ratio) =>
        Read(("OTEL_TRACES_SAMPLER", "traceidratio"), ("OTEL_TRACES_SAMPLER_ARG", ratio)).Problems.ShouldHaveSingleItem().ShouldContain("OTEL_TRACES_SAMPLER_ARG");

    [Fact]
    public void Read_SmallQueue_ShrinksTheBatch() =>
        Read(("OTEL_BSP_MAX_QUEUE_SIZE", "100")).Spans.ShouldBe(new BatchSettings(5000, 30_000, 100, 100));

    [Fact]
    public void Address_OfEndpointWithPasswordAndKeys_LeavesThemOut() =>
        Read(("OTEL_EXPORTER_OTLP_ENDPOINT", "http://user:secret@collector:4317/in/key-4711?key=hidden")).Traces!.Address.ShouldBe("http://collector:4317");

    private static TelemetrySettings Read(params (string Name, string Value)[] variables) =>
        new(new ConfigurationBuilder().AddInMemoryCollection(variables.ToDictionary(variable => variable.Name, variable => (string?)variable.Value)).Build());
}
