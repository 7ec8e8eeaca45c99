using System.Diagnostics;
using Microsoft.Extensions.Configuration;
using ResilientHost.IntegrationTests.Operations;
using ResilientHost.IntegrationTests.Telemetry;

namespace ResilientHost.IntegrationTests.Contract;

/// <summary><c>AddResilienceTelemetry()</c>. Written from the contract alone.</summary>
[Collection(nameof(TelemetryCollection))]
public sealed class OperationsTelemetryContractTests
{
    private static TestServiceSetup Setup(Dictionary<string, string?>? variables = null, Action<WebApplication>? more = null, LogLevel minimum = LogLevel.Debug, bool serilog = false, string configuration = OperationsDesk.Circuits) => OperationsService.Setup(
        app =>
        {
            OperationsDesk.MapTraffic(app);
            app.MapGet("/products/{id:int}", static (int id) => "product " + id);
            app.MapGet("/throws/{id}", static string (string id) => throw new InvalidOperationException("secret " + id));
            app.MapResilienceHealth();
            app.MapResilienceDashboard().RequireAuthorization();
            app.MapResilienceOperations().RequireAuthorization(OperationsService.Policy);
            more?.Invoke(app);
        },
        configuration: configuration,
        more: builder =>
        {
            builder.Logging.SetMinimumLevel(minimum);
            builder.Configuration.AddInMemoryCollection(variables ?? []);
            builder.AddResilienceTelemetry(options =>
            {
                options.UseSerilog = serilog;
                options.FlushTimeout = TimeSpan.FromSeconds(1);
            });
        });

    private static async Task<RecordedLog> CompletionAsync(TestService service, Func<Task> request)
    {
        service.Logs.Clear();
        await request();
        var completion = await service.Logs.WaitForAsync(static entry => entry.EventId.Id == 3000, TestService.Patience);
        completion.Category.ShouldBe("ResilientHost.Requests");
        return completion;
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task WithoutVariables_StartsAndExportsNothing(bool serilog)
    {
        await using var service = await TestService.StartAsync(Setup(serilog: serilog));
        (await service.StatusOfAsync("/products/7?secret=1")).ShouldBe(200);
        using var source = new ActivitySource("ResilientHost");
        source.HasListeners().ShouldBeFalse("without an endpoint no span is made");
        service.Metrics.Of("resilient_host.telemetry.exports").ShouldBeEmpty();
        var stop = Stopwatch.StartNew();
        await service.Services.GetRequiredService<IHost>().StopAsync(TestContext.Current.CancellationToken);
        stop.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(10));
        service.Metrics.Of("resilient_host.telemetry.exports").ShouldBeEmpty();
        service.Metrics.Of("resilient_host.telemetry.dropped").ShouldBeEmpty();
        service.ShouldHaveLoggedNoError();
    }

    [Theory]
    [InlineData("OTEL_SDK_DISABLED", "true")]
    [InlineData("OTEL_TRACES_EXPORTER", "none")]
    public async Task SwitchedOff_ExportsNothing(string name, string value)
    {
        await using var receiver = await OtlpReceiver.StartAsync();
        await using (var service = await TestService.StartAsync(Setup(new() { ["OTEL_EXPORTER_OTLP_ENDPOINT"] = receiver.EndpointOf("grpc"), [name] = value, ["OTEL_METRICS_EXPORTER"] = "none", ["OTEL_LOGS_EXPORTER"] = "none" })))
        {
            (await service.StatusOfAsync("/products/7")).ShouldBe(200);
            await service.Services.GetRequiredService<IHost>().StopAsync(TestContext.Current.CancellationToken);
        }

        receiver.Requests.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("OTEL_EXPORTER_OTLP_ENDPOINT", "not a uri")]
    [InlineData("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4317")]
    [InlineData("OTEL_EXPORTER_OTLP_ENDPOINT", "ftp://collector")]
    [InlineData("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "/relative")]
    [InlineData("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "::")]
    [InlineData("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "http://")]
    [InlineData("OTEL_EXPORTER_OTLP_PROTOCOL", "smoke-signals")]
    [InlineData("OTEL_EXPORTER_OTLP_LOGS_PROTOCOL", "udp")]
    [InlineData("OTEL_EXPORTER_OTLP_TIMEOUT", "soon")]
    [InlineData("OTEL_EXPORTER_OTLP_TIMEOUT", "-1")]
    [InlineData("OTEL_EXPORTER_OTLP_COMPRESSION", "zip")]
    [InlineData("OTEL_EXPORTER_OTLP_HEADERS", "no-equals-sign-SECRET")]
    [InlineData("OTEL_TRACES_SAMPLER", "dice")]
    [InlineData("OTEL_BSP_SCHEDULE_DELAY", "x")]
    [InlineData("OTEL_BSP_MAX_QUEUE_SIZE", "0")]
    [InlineData("OTEL_BLRP_MAX_EXPORT_BATCH_SIZE", "-5")]
    [InlineData("OTEL_METRIC_EXPORT_INTERVAL", "1.5")]
    [InlineData("OTEL_METRIC_EXPORT_INTERVAL", "99999999999999")]
    [InlineData("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "sometimes")]
    [InlineData("OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION", "exact")]
    [InlineData("OTEL_METRICS_EXEMPLAR_FILTER", "perhaps")]
    [InlineData("OTEL_RESOURCE_ATTRIBUTES", "novalue")]
    [InlineData("OTEL_SDK_DISABLED", "perhaps")]
    public async Task InvalidVariable_FailsTheStartAndIsNamed(string name, string value)
    {
        var variables = new Dictionary<string, string?> { ["OTEL_EXPORTER_OTLP_ENDPOINT"] = "http://127.0.0.1:9", [name] = value };
        var error = await TestService.FailToStartAsync(Setup(variables));
        error.ShouldContain(name);
        error.ShouldNotContain("SECRET");
    }

    [Fact]
    public async Task InvalidSamplerArgument_FailsTheStartAndIsNamed() =>
        (await TestService.FailToStartAsync(Setup(new() { ["OTEL_EXPORTER_OTLP_ENDPOINT"] = "http://127.0.0.1:9", ["OTEL_TRACES_SAMPLER"] = "traceidratio", ["OTEL_TRACES_SAMPLER_ARG"] = "1.5" }))).ShouldContain("OTEL_TRACES_SAMPLER_ARG");

    [Fact]
    public async Task SeveralInvalidVariables_AreToldAllAtOnce()
    {
        var error = await TestService.FailToStartAsync(Setup(new() { ["OTEL_EXPORTER_OTLP_ENDPOINT"] = "nonsense", ["OTEL_TRACES_SAMPLER"] = "dice", ["OTEL_METRIC_EXPORT_INTERVAL"] = "x" }));
        foreach (var name in new[] { "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_TRACES_SAMPLER", "OTEL_METRIC_EXPORT_INTERVAL" })
        {
            error.ShouldContain(name);
        }
    }

    [Theory]
    [OverBothWires]
    public async Task Completion_IsOneEventWithTheRouteAndWithoutPathAndQuery(Wire wire)
    {
        await using var service = await TestService.StartAsync(Setup());
        var completion = await CompletionAsync(service, () => service.StatusOfAsync("/products/4711?card=1234", wire));
        completion.Level.ShouldBe(LogLevel.Information);
        completion.ValueOf("Method").ShouldBe("GET");
        completion.ValueOf("Route").ShouldBe("/products/{id:int}");
        completion.ValueOf("StatusCode").ShouldBe(200);
        Convert.ToDouble(completion.ValueOf("DurationMs"), System.Globalization.CultureInfo.InvariantCulture).ShouldBeInRange(0, 20_000);
        completion.ValueOf("Disposition").ShouldBe("succeeded");
        completion.ValueOf("TraceId").ShouldBeOfType<string>().ShouldMatch("^[0-9a-f]{32}$");
        completion.Message.ShouldNotContain("4711");

        // The logger factory's own scope is of trace and span alone.
        completion.Scopes.OfType<IEnumerable<KeyValuePair<string, object?>>>().SelectMany(static scope => scope).Select(static pair => pair.Key).ShouldNotContain("RequestPath");

        // A second one would have been written before the next request's.
        await service.StatusOfAsync("/plain", wire);
        await service.Logs.WaitUntilAsync(static logs => logs.Any(static entry => entry.EventId.Id == 3000 && Equals(entry.ValueOf("Route"), "/plain")), TestService.Patience);
        service.Logs.Entries.Count(static entry => entry.EventId.Id == 3000).ShouldBe(2);
        service.Logs.Entries.Where(static entry => entry.Level >= LogLevel.Information).ShouldAllBe(static entry => !entry.Message.Contains("4711", StringComparison.Ordinal) && !entry.Message.Contains("1234", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("/nowhere/4711?card=1234", 404, LogLevel.Information, "(no endpoint)")]
    [InlineData("/plain?fail", 502, LogLevel.Error, "/plain")]
    [InlineData("/throws/4711", 500, LogLevel.Warning, "/throws/{id}")]
    [InlineData("/health/live", 200, LogLevel.Debug, "/health/live")]
    [InlineData("/health/ready", 200, LogLevel.Debug, "/health/ready")]
    [InlineData("/resilience/status", 200, LogLevel.Debug, "/resilience/status")]
    [InlineData("/resilience/history", 200, LogLevel.Debug, "/resilience/history")]
    public async Task Completion_LevelAndRoute(string path, int status, LogLevel level, string route)
    {
        await using var service = await TestService.StartAsync(Setup());
        var completion = await CompletionAsync(service, async () => (await service.AskAsync(path, "eve")).Status.ShouldBe(status));
        (completion.ValueOf("StatusCode"), completion.Level, completion.ValueOf("Route")).ShouldBe(((object?)status, level, (object?)route));
        completion.Message.ShouldNotContain("4711");
        service.Logs.Entries.Count(static entry => entry.EventId.Id == 3000).ShouldBe(1);
    }

    [Fact]
    public async Task Completion_OfARefusal_IsAWarning()
    {
        await using var service = await TestService.StartAsync(Setup());
        (await service.OperateAsync("isolate", new { name = "plain" })).Status.ShouldBe(200);
        var completion = await CompletionAsync(service, () => service.StatusOfAsync("/plain"));
        (completion.Level, completion.ValueOf("StatusCode"), completion.ValueOf("Disposition")).ShouldBe((LogLevel.Warning, (object?)503, (object?)"refused"));
    }

    [Fact]
    public async Task Completion_WithTheSuiteSwitchedOff_IsStillWritten()
    {
        await using var service = await TestService.StartAsync(Setup(configuration: """{ "Enabled": false, "CircuitBreakers": { "plain": {}, "other": {}, "tenants": {}, "shadow": {}, "off": {}, "orders/v1/größe 漢字 🚀 <img src=x onerror=alert(1)>": {} }, "Bulkheads": { "checkout": {} } }"""));
        (await CompletionAsync(service, () => service.StatusOfAsync("/products/1"))).ValueOf("Route").ShouldBe("/products/{id:int}");
    }

    [Fact]
    public async Task Completion_OfAClientThatLeaves_IsOneEvent()
    {
        var gate = new Gate();
        await using var service = await TestService.StartAsync(Setup(more: app => app.MapGet("/held/{id}", async (HttpContext context) => await gate.PassAsync(context.RequestAborted))));
        var completion = await CompletionAsync(service, async () =>
        {
            using var connection = await service.ConnectAsync();
            await connection.SendAsync("GET /held/4711?q=1 HTTP/1.1\r\nHost: localhost\r\n\r\n");
            await gate.ArrivalAsync();
            connection.Reset();
        });
        (completion.ValueOf("Route"), completion.ValueOf("StatusCode"), completion.ValueOf("Disposition")).ShouldBe(((object?)"/held/{id}", (object?)499, (object?)"aborted"));
        completion.Level.ShouldBe(LogLevel.Information);
    }

    [Fact]
    public async Task EmptyVariables_AreUnset()
    {
        await using var service = await TestService.StartAsync(Setup(new() { ["OTEL_EXPORTER_OTLP_ENDPOINT"] = "", ["OTEL_TRACES_SAMPLER"] = "", ["OTEL_SDK_DISABLED"] = "", ["OTEL_METRIC_EXPORT_INTERVAL"] = "" }));
        using var source = new ActivitySource("ResilientHost");
        source.HasListeners().ShouldBeFalse();
    }

    [Fact]
    public async Task AddedTwice_WritesOneEvent()
    {
        var setup = Setup();
        await using var service = await TestService.StartAsync(new TestServiceSetup
        {
            Configuration = setup.Configuration,
            MapsStatus = false,
            Builder = builder =>
            {
                setup.Builder!(builder);
                builder.AddResilienceTelemetry(static options => options.UseSerilog = false);
                builder.AddResilienceLayers();
            },
            Endpoints = setup.Endpoints,
        });
        await service.StatusOfAsync("/products/1");
        await service.StatusOfAsync("/plain");
        await service.Logs.WaitUntilAsync(static logs => logs.Any(static entry => entry.EventId.Id == 3000 && Equals(entry.ValueOf("Route"), "/plain")), TestService.Patience);
        service.Logs.Entries.Count(static entry => entry.EventId.Id == 3000).ShouldBe(2);
    }

    [Fact]
    public async Task AddedBeforeTheLayers_WritesTheEvent()
    {
        var logs = new LogRecorder();
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = "Production", Args = ["--urls=http://127.0.0.1:0", "--hostBuilder:reloadConfigOnChange=false"] });
        builder.AddResilienceTelemetry(static options => options.UseSerilog = false);
        builder.AddResilienceLayers();
        builder.Logging.ClearProviders().AddProvider(logs);
        await using var app = builder.Build();
        app.UseResilienceLayers();
        app.MapGet("/products/{id}", static (string id) => id);
        await app.StartAsync(TestContext.Current.CancellationToken);
        using var client = new HttpClient { BaseAddress = new Uri(app.Urls.Single()) };
        (await client.GetStringAsync("/products/4711", TestContext.Current.CancellationToken)).ShouldBe("4711");
        (await logs.WaitForAsync(static entry => entry.EventId.Id == 3000, TestService.Patience)).ValueOf("Route").ShouldBe("/products/{id}");
    }

    [Theory]
    [InlineData("grpc")]
    [InlineData("http/protobuf")]
    public async Task Exported_SpanMetricsAndCompletion_NameTheRouteAndNeverThePath(string protocol)
    {
        await using var receiver = await OtlpReceiver.StartAsync();
        string instance;
        await using (var service = await TestService.StartAsync(Setup(
            new() { ["OTEL_EXPORTER_OTLP_ENDPOINT"] = receiver.EndpointOf(protocol), ["OTEL_EXPORTER_OTLP_PROTOCOL"] = protocol, ["OTEL_SERVICE_NAME"] = "shop", ["OTEL_RESOURCE_ATTRIBUTES"] = "deployment.environment=test" },
            minimum: LogLevel.Information)))
        {
            (await service.StatusOfAsync("/products/4711?card=1234")).ShouldBe(200);
            (await service.StatusOfAsync("/plain?fail")).ShouldBe(502);
            (await service.StatusOfAsync("/plain?fail")).ShouldBe(502);
            (await service.StatusOfAsync("/plain?fail")).ShouldBe(503);
            instance = JsonElement.Parse((await service.AskAsync("/resilience/status", "eve")).Body).GetProperty("instance").GetString()!;
            await TestService.EventuallyAsync(() => Task.FromResult(service.ValueOf(ResilienceDiagnostics.Instruments.CircuitBreakerTransitions) > 0), "the transition counted, beside the requests");
            await service.Services.GetRequiredService<IHost>().StopAsync(TestContext.Current.CancellationToken);
        }

        var span = receiver.Spans.Single(static span => span.Kind == 2 && span.Name == "GET /products/{id:int}");
        span.Attributes["http.route"].ShouldBe("/products/{id:int}");
        span.Resource["service.name"].ShouldBe("shop");
        span.Resource["service.instance.id"].ShouldBe(instance);
        span.Resource["deployment.environment"].ShouldBe("test");

        // The test's own client is of this process, too, and its spans name what it asked for.
        receiver.Spans.Where(static span => span.Kind == 2).SelectMany(static span => span.Attributes.Values.Append(span.Name)).ShouldAllBe(static text => !text.Contains("4711") && !text.Contains("1234"));
        receiver.Spans.SelectMany(static span => span.Events).Select(static occurrence => occurrence.Name).ShouldContain("circuit_breaker.opened");
        var completion = receiver.Logs.Single(log => log.TraceId == span.TraceId && log.Scope == "ResilientHost.Requests");
        completion.Attributes.Values.Append(completion.Body).ShouldAllBe(static text => !text.Contains("4711") && !text.Contains("1234"));
        var metrics = receiver.Metrics.Select(static metric => metric.Name).ToHashSet();
        foreach (var name in new[] { "resilient_host.circuit_breaker.state", "resilient_host.circuit_breaker.transitions", "resilient_host.request.duration", "http.server.request.duration", "kestrel.active_connections", "dotnet.gc.collections" })
        {
            metrics.ShouldContain(name);
        }
    }

    [Fact]
    public async Task Completion_OfAReExecutedRequest_IsOneEvent()
    {
        var setup = Setup(more: static app => app.MapGet("/problem-page", static () => Results.Text("sorry")));
        await using var service = await TestService.StartAsync(new TestServiceSetup
        {
            Configuration = setup.Configuration,
            MapsStatus = false,
            Builder = setup.Builder,
            Outside = static app => app.UseStatusCodePagesWithReExecute("/problem-page"),
            Endpoints = setup.Endpoints,
        });
        var completion = await CompletionAsync(service, async () => (await service.AskAsync("/nowhere/4711")).ShouldBe((404, "sorry")));
        completion.Message.ShouldNotContain("4711");
        await CompletionAsync(service, () => service.StatusOfAsync("/plain"));
        service.Logs.Entries.Count(static entry => entry.EventId.Id == 3000).ShouldBe(1);
    }

    [Fact]
    public async Task Completion_OfManyAtOnce_IsOneEach()
    {
        await using var service = await TestService.StartAsync(Setup());
        await Parallel.ForEachAsync(Enumerable.Range(0, 300), new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (i, _) => await service.StatusOfAsync($"/products/{i}?q={i}", i % 2 == 0 ? Wire.Http1 : Wire.Http2));
        await service.Logs.WaitUntilAsync(static logs => logs.Count(static entry => entry.EventId.Id == 3000) >= 300, TestService.Patience);
        service.Logs.Entries.Where(static entry => entry.EventId.Id == 3000).Select(static entry => entry.ValueOf("TraceId")).Distinct().Count().ShouldBe(300);
        service.Logs.Entries.Count(static entry => entry.EventId.Id == 3000).ShouldBe(300);
    }
}
