using static ResilientHost.ResilienceDiagnostics;

namespace ResilientHost.IntegrationTests.Telemetry;

/// <summary>What a real collector receives of a real service.</summary>
[Collection(nameof(TelemetryCollection))]
public sealed class ExportTests
{
    [Theory]
    [InlineData("grpc", "none")]
    [InlineData("grpc", "gzip")]
    [InlineData("http/protobuf", "none")]
    [InlineData("http/protobuf", "gzip")]
    public async Task Service_UnderTraffic_ExportsSpansMetricsAndLogs(string protocol, string compression)
    {
        await using var receiver = await OtlpReceiver.StartAsync();
        await using var service = await TestService.StartAsync(TelemetryService.Setup(
            receiver.EndpointOf(protocol), protocol, configure: null,
            ("OTEL_EXPORTER_OTLP_COMPRESSION", compression), ("OTEL_EXPORTER_OTLP_HEADERS", "x-key=secret"), ("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test,team=shop")));

        (await service.StatusOfAsync("/products/4711?card=1234")).ShouldBe(200);
        (await service.StatusOfAsync("/broken")).ShouldBe(500);
        for (var i = 0; i < 2; i++)
        {
            (await service.StatusOfAsync("/fragile")).ShouldBe(502);
        }

        (await service.StatusOfAsync("/fragile")).ShouldBe(503);

        var product = await SpanAsync(receiver, span => span.Name == "GET /products/{id}" && span.Kind == 2);
        product.Scope.ShouldBe("Microsoft.AspNetCore");
        product.Attributes["http.route"].ShouldBe("/products/{id}");
        product.Attributes["http.request.method"].ShouldBe("GET");
        product.Attributes["http.response.status_code"].ShouldBe("200");
        product.Attributes[Tags.Disposition].ShouldBe("succeeded");
        product.Attributes.Values.ShouldAllBe(value => !value.Contains("4711", StringComparison.Ordinal));
        product.Resource["service.name"].ShouldBe(TelemetryService.Name);
        product.Resource["team"].ShouldBe("shop");
        product.Resource["host.name"].ShouldBe(Environment.MachineName);
        product.Resource["service.instance.id"].ShouldBe((await service.StatusAsync()).GetProperty("instance").GetString());
        product.Resource.Keys.ShouldContain("service.version");

        var broken = await SpanAsync(receiver, span => span.Name == "GET /broken" && span.Kind == 2);
        broken.Status.ShouldBe(2);
        broken.Events.ShouldContain(occurrence => occurrence.Name == SpanEvents.Recovered && occurrence.Attributes[Tags.ExceptionType] == typeof(InvalidDataException).FullName);
        (await SpanAsync(receiver, span => span.Kind == 2 && span.Events.Any(occurrence => occurrence.Name == SpanEvents.CircuitBreakerRefused)))
            .Attributes[Tags.Disposition].ShouldBe("refused");

        var log = await LogAsync(receiver, log => log.Body.Contains("nearly sold out", StringComparison.Ordinal));
        log.TraceId.ShouldBe(product.TraceId);
        log.SpanId.ShouldBe(product.SpanId);
        log.Severity.ShouldBe(13);
        log.Attributes["Product"].ShouldBe("4711");
        log.Resource["service.name"].ShouldBe(TelemetryService.Name);
        log.Scope.ShouldBe(typeof(OtlpReceiver).FullName);

        var completed = await LogAsync(receiver, log => log.Scope == "ResilientHost.Requests" && log.TraceId == product.TraceId);
        completed.Attributes["Route"].ShouldBe("/products/{id}");
        completed.Attributes.Values.Append(completed.Body).ShouldAllBe(value => !value.Contains("4711", StringComparison.Ordinal) && !value.Contains("1234", StringComparison.Ordinal));

        var refusals = await MetricAsync(receiver, Instruments.CircuitBreakerRefusals, point => point.Value == 1);
        (refusals.Kind, refusals.Temporality, refusals.Scope).ShouldBe(("sum", 2, MeterName));
        (await MetricAsync(receiver, Instruments.CircuitBreakerState, point => point.Attributes.Values.Contains("open") && point.Value == 1)).Kind.ShouldBe("gauge");
        var duration = await MetricAsync(receiver, Instruments.RequestDuration, point => point.Attributes[Tags.Disposition] == "succeeded" && point.Attributes.Values.Any(value => value.Contains("products", StringComparison.Ordinal)));
        (duration.Kind, duration.Unit).ShouldBe(("histogram", "s"));
        var point = duration.Points.First(point => point.Count > 0);
        point.Buckets.Aggregate(0UL, (sum, bucket) => sum + bucket).ShouldBe(point.Count);
        point.Buckets.Count.ShouldBe(point.Bounds.Count + 1);
        foreach (var name in (string[])["http.server.request.duration", "kestrel.active_connections", "dotnet.gc.collections"])
        {
            (await MetricAsync(receiver, name, static _ => true)).Resource["service.name"].ShouldBe(TelemetryService.Name);
        }

        receiver.Requests.ShouldAllBe(request => request.Key == "secret" && (request.Compression == "gzip") == (compression == "gzip"));
        service.ValueOf(Instruments.TelemetryExports, (Tags.TelemetryResult, TelemetryTagValues.Succeeded)).ShouldBeGreaterThan(0);
        service.ValueOf(Instruments.TelemetryDropped).ShouldBe(0);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Probes_AreExportedAsSpansOnlyWhereAskedFor(bool traced)
    {
        await using var receiver = await OtlpReceiver.StartAsync();
        var service = await TestService.StartAsync(TelemetryService.Setup(receiver.EndpointOf("grpc"), "grpc", options => options.TraceOperations = traced));
        await service.StatusOfAsync("/health/live");
        await service.StatusAsync();
        await service.StatusOfAsync("/products/1");

        await service.DisposeAsync();

        var routes = receiver.Spans.Where(span => span.Kind == 2).Select(span => span.Attributes.GetValueOrDefault("http.route")).ToList();
        routes.ShouldContain("/products/{id}");
        routes.Contains("/health/live").ShouldBe(traced);
        routes.Contains("/resilience/status").ShouldBe(traced);
    }

    [Fact]
    public async Task Spans_OfErrorsAndUnknownMethods_GoByTheConventions()
    {
        await using var receiver = await OtlpReceiver.StartAsync();
        await using var service = await TestService.StartAsync(TelemetryService.Setup(receiver.EndpointOf("grpc")));
        using var request = new HttpRequestMessage(new HttpMethod("SECRET"), "/nowhere");
        using var response = await service.SendAsync(request);
        await service.StatusOfAsync("/fragile");
        await service.StatusOfAsync("/broken");

        (await SpanAsync(receiver, span => span.Name == "HTTP" && span.Kind == 2)).Attributes["http.request.method"].ShouldBe("_OTHER");
        (await SpanAsync(receiver, span => span.Name == "GET /fragile" && span.Kind == 2)).Attributes[Tags.ErrorType].ShouldBe("502");
        (await SpanAsync(receiver, span => span.Name == "GET /broken" && span.Kind == 2)).Attributes[Tags.ErrorType].ShouldBe(typeof(InvalidDataException).FullName);
    }

    [Fact]
    public async Task Host_Stops_DeliversWhatIsLeft()
    {
        await using var receiver = await OtlpReceiver.StartAsync();
        var service = await TestService.StartAsync(TelemetryService.Setup(
            receiver.EndpointOf("grpc"), "grpc", configure: null,
            ("OTEL_BSP_SCHEDULE_DELAY", "3600000"), ("OTEL_BLRP_SCHEDULE_DELAY", "3600000"), ("OTEL_METRIC_EXPORT_INTERVAL", "3600000")));
        await service.StatusOfAsync("/products/1");

        await service.DisposeAsync();

        receiver.Spans.ShouldContain(span => span.Name == "GET /products/{id}");
        receiver.Logs.ShouldContain(log => log.Body.Contains("nearly sold out", StringComparison.Ordinal));
        receiver.Metrics.ShouldContain(metric => metric.Name == Instruments.RequestDuration);
    }

    [Fact]
    public async Task Endpoint_OfOneSignal_ExportsThatSignalOnly()
    {
        await using var receiver = await OtlpReceiver.StartAsync();
        await using var service = await TestService.StartAsync(TelemetryService.Setup(
            endpoint: null, "http/protobuf", configure: null, ("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", receiver.EndpointOf("http/protobuf") + "/v1/logs")));

        await service.StatusOfAsync("/products/1");
        await LogAsync(receiver, log => log.Body.Contains("nearly sold out", StringComparison.Ordinal));

        receiver.Requests.ShouldAllBe(request => request.Path == "/v1/logs");
    }

    [Theory]
    [InlineData("OTEL_SDK_DISABLED", "true")]
    [InlineData("OTEL_EXPORTER_OTLP_ENDPOINT", "")]
    public async Task Export_SwitchedOff_SendsNothing(string variable, string value)
    {
        await using var receiver = await OtlpReceiver.StartAsync();
        var service = await TestService.StartAsync(TelemetryService.Setup(receiver.EndpointOf("grpc"), "grpc", configure: null, (variable, value)));
        await service.StatusOfAsync("/products/1");
        await service.DisposeAsync();

        receiver.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task Exporter_OfTracesNone_SendsTheRest()
    {
        await using var receiver = await OtlpReceiver.StartAsync();
        var service = await TestService.StartAsync(TelemetryService.Setup(receiver.EndpointOf("grpc"), "grpc", configure: null, ("OTEL_TRACES_EXPORTER", "none")));
        await service.StatusOfAsync("/products/1");
        await service.DisposeAsync();

        receiver.Spans.ShouldBeEmpty();
        receiver.Logs.ShouldNotBeEmpty();
        receiver.Metrics.ShouldNotBeEmpty();
    }

    [Fact]
    public async Task Sampler_AlwaysOffInConfiguration_ExportsNoSpan()
    {
        await using var receiver = await OtlpReceiver.StartAsync();
        var service = await TestService.StartAsync(TelemetryService.Setup(receiver.EndpointOf("grpc"), "grpc", configure: null, ("OTEL_TRACES_SAMPLER", "always_off")));
        await service.StatusOfAsync("/products/1");
        await service.DisposeAsync();

        receiver.Spans.ShouldBeEmpty();
        receiver.Logs.ShouldNotBeEmpty();
    }

    private static async Task<OtlpSpan> SpanAsync(OtlpReceiver receiver, Func<OtlpSpan, bool> condition)
    {
        await TestService.EventuallyAsync(() => Task.FromResult(receiver.Spans.Any(condition)), $"the span among {string.Join(", ", receiver.Spans.Select(span => span.Name).Distinct())}");
        return receiver.Spans.First(condition);
    }

    private static async Task<OtlpLog> LogAsync(OtlpReceiver receiver, Func<OtlpLog, bool> condition)
    {
        await TestService.EventuallyAsync(() => Task.FromResult(receiver.Logs.Any(condition)), "the log record");
        return receiver.Logs.First(condition);
    }

    private static async Task<OtlpMetric> MetricAsync(OtlpReceiver receiver, string name, Func<OtlpPoint, bool> condition)
    {
        await TestService.EventuallyAsync(() => Task.FromResult(receiver.Metrics.Any(metric => metric.Name == name && metric.Points.Any(condition))), $"the metric {name}");
        var found = receiver.Metrics.Last(metric => metric.Name == name && metric.Points.Any(condition));
        return found with { Points = [.. found.Points.Where(condition)] };
    }
}
