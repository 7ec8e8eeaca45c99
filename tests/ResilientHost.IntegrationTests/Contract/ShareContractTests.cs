using System.Globalization;

namespace ResilientHost.IntegrationTests.Contract;

/// <summary>Callers told apart on real requests: shares, circuits of their own, and what is said of them. Written from the contract alone.</summary>
public sealed class ShareContractTests
{
    private static HttpRequestMessage Of(string tenant, string path = "/") => Levels.Request(path, ("X-Tenant", tenant));

    private static string Shared(int room, string more = "") =>
        $$"""{ "Bulkheads": { "shared": { "MaxConcurrency": {{room}}, "PartitionBy": "Header:X-Tenant"{{more}} } }, {{Levels.Trusting}} }""";

    private static async Task<HttpResponseMessage> SendAsync(TestService service, string tenant, Wire wire = Wire.Http1)
    {
        using var request = Of(tenant);
        return await service.SendAsync(request, wire);
    }

    private static async Task<Task<HttpResponseMessage>[]> FloodAsync(TestService service, Gate gate, string tenant, int calls, Wire wire = Wire.Http1)
    {
        var flood = Enumerable.Range(0, calls).Select(_ => SendAsync(service, tenant, wire)).ToArray();
        for (var i = 0; i < calls; i++)
        {
            await gate.ArrivalAsync();
        }

        return flood;
    }

    private static async Task AllServedAsync(IEnumerable<Task<HttpResponseMessage>> calls)
    {
        foreach (var response in await Task.WhenAll(calls))
        {
            using (response)
            {
                response.StatusCode.ShouldBe(HttpStatusCode.OK);
            }
        }
    }

    [Theory, OverBothWires]
    public async Task Alone_ACallerHasEverything_AndWhatIsFullIsTheHost(Wire wire)
    {
        var gate = new Gate();
        await using var service = await TestService.StartAsync(app => app.MapGet("/", () => gate.PassAsync()).WithBulkhead("shared"), Shared(6));
        var flood = await FloodAsync(service, gate, "alone", 6, wire);
        using (var more = await SendAsync(service, "alone", wire))
        {
            await more.ShouldBeRefusalAsync(503, "bulkhead_full");
        }

        gate.Open();
        await AllServedAsync(flood);
        await service.NothingHeldAsync();
    }

    [Fact]
    public async Task Untold_AFullBulkhead_Is503ForEveryone()
    {
        var gate = new Gate();
        await using var service = await TestService.StartAsync(
            app => app.MapGet("/", () => gate.PassAsync()).WithBulkhead("shared"), """{ "Bulkheads": { "shared": { "MaxConcurrency": 1 } } }""");
        var flood = await FloodAsync(service, gate, "a", 1);
        for (var i = 0; i < 3; i++)
        {
            using var more = await SendAsync(service, i.ToString(CultureInfo.InvariantCulture));
            await more.ShouldBeRefusalAsync(503, "bulkhead_full");
        }

        gate.Open();
        await AllServedAsync(flood);
    }

    [Fact]
    public async Task Strangers_CannotMintTenants_ByHeader()
    {
        var gate = new Gate();
        await using var service = await TestService.StartAsync(
            app => app.MapGet("/", () => gate.PassAsync()).WithBulkhead("shared"),
            """{ "Bulkheads": { "shared": { "MaxConcurrency": 2, "PartitionBy": "Header:X-Tenant" } } }""");
        var flood = await FloodAsync(service, gate, "a", 2);
        for (var i = 0; i < 5; i++)
        {
            using var more = await SendAsync(service, $"fresh-{i}");
            await more.ShouldBeRefusalAsync(503, "bulkhead_full");
        }

        (await service.BulkheadAsync("shared")).GetProperty("partitions").GetInt32().ShouldBe(1);
        gate.Open();
        await AllServedAsync(flood);
    }

    [Theory, OverBothWires]
    public async Task Cancelled_WhileQueuedInAShare_LeavesNoTrace(Wire wire)
    {
        var gate = new Gate();
        await using var service = await TestService.StartAsync(
            app => app.MapGet("/", () => gate.PassAsync()).WithBulkhead("shared"), Shared(2, """, "QueueLength": 8, "QueueTimeout": "00:01:00" """));
        var flood = await FloodAsync(service, gate, "flood", 2, wire);
        for (var round = 0; round < 3; round++)
        {
            using var patience = new CancellationTokenSource();
            var waiting = Enumerable.Range(0, 4).Select(i => CancelledAsync(i % 2 == 0 ? "flood" : "other")).ToList();
            await service.QueuedAsync("shared", 4);
            await patience.CancelAsync();
            await Task.WhenAll(waiting);
            await service.QueuedAsync("shared", 0);

            async Task CancelledAsync(string tenant)
            {
                using var request = Of(tenant);
                request.Version = service.Client(wire).DefaultRequestVersion;
                request.VersionPolicy = HttpVersionPolicy.RequestVersionExact;
                await Should.ThrowAsync<OperationCanceledException>(async () =>
                {
                    using var response = await service.Client(wire).SendAsync(request, patience.Token);
                });
            }
        }

        (await service.InFlightAsync("shared")).ShouldBe(2);
        gate.Open();
        await AllServedAsync(flood);
        await service.NothingHeldAsync();
        await AllServedAsync([SendAsync(service, "other", wire), SendAsync(service, "flood", wire)]);
        service.ShouldHaveLoggedNoError();
    }

    [Fact]
    public async Task ServerSentEvents_GiveTheirPlaceBack_WhenTheyStart()
    {
        var gate = new Gate();
        await using var service = await TestService.StartAsync(
            app => app.MapGet("/", async (HttpContext context) =>
            {
                context.Response.ContentType = "text/event-stream";
                await context.Response.WriteAsync("data: 1\n\n");
                await context.Response.Body.FlushAsync();
                await gate.PassAsync(context.RequestAborted);
            }).WithBulkhead("shared"),
            Shared(1));
        var streams = new List<HttpResponseMessage>();
        for (var i = 0; i < 4; i++)
        {
            using var request = Levels.Request("/", ("X-Tenant", "one"), ("Accept", "text/event-stream"));
            var response = await service.SendAsync(request, Wire.Http1, HttpCompletionOption.ResponseHeadersRead);
            response.StatusCode.ShouldBe(HttpStatusCode.OK);
            streams.Add(response);
            await gate.ArrivalAsync();
            await service.NothingHeldAsync();
        }

        gate.Open();
        streams.ForEach(stream => stream.Dispose());
        await service.NothingHeldAsync();
    }

    [Fact]
    public async Task Reload_FromOneToManyCallersAndBack_KeepsEveryPermit()
    {
        var gate = new Gate();
        await using var service = await TestService.StartAsync(app => app.MapGet("/", () => gate.PassAsync()).WithBulkhead("shared"), Shared(4));
        var flood = await FloodAsync(service, gate, "a", 4);
        service.Configuration.Replace("""{ "Bulkheads": { "shared": { "MaxConcurrency": 4 } } }""");
        using (var more = await SendAsync(service, "a"))
        {
            await more.ShouldBeRefusalAsync(503, "bulkhead_full");
        }

        service.Configuration.Replace(Shared(4, """, "PartitionWeights": { "b": 3 } """));
        gate.Open();
        await AllServedAsync(flood);
        await service.NothingHeldAsync();
        await AllServedAsync(Enumerable.Range(0, 4).Select(_ => SendAsync(service, "b")));
        await service.NothingHeldAsync();
    }

    [Fact]
    public async Task Secrets_TenantsStandInNoLogNoMetricAndNoAnswer()
    {
        const string Tenant = "tenant-7f3b-secret";
        var gate = new Gate();
        await using var service = await TestService.StartAsync(
            app =>
            {
                app.MapGet("/", () => gate.PassAsync()).WithBulkhead("shared");
                app.MapGet("/fail", () => Results.StatusCode(500)).WithCircuitBreaker("keyed");
            },
            $$"""
            { "Bulkheads": { "shared": { "MaxConcurrency": 2, "PartitionBy": "Header:X-Tenant" } },
              "CircuitBreakers": { "keyed": { "ConsecutiveFailures": 1, "PartitionBy": "Header:X-Tenant" } }, {{Levels.Trusting}} }
            """);
        var flood = await FloodAsync(service, gate, Tenant, 2);
        (await service.StatusAsync(Of("other"))).ShouldBe(503);
        using (var more = await SendAsync(service, Tenant))
        {
            await more.ShouldBeRefusalAsync(429, "bulkhead_full");
            (await more.Content.ReadAsStringAsync()).ShouldNotContain(Tenant);
        }

        (await service.StatusAsync(Of(Tenant, "/fail"))).ShouldBe(500);
        using (var request = Of(Tenant, "/fail"))
        {
            using var open = await service.SendAsync(request);
            await open.ShouldBeRefusalAsync(503, "circuit_open");
            (await open.Content.ReadAsStringAsync()).ShouldNotContain(Tenant);
        }

        gate.Open();
        await AllServedAsync(flood);
        service.ValueOf(ResilienceDiagnostics.Instruments.BulkheadShareRefusals).ShouldBe(1);
        await service.StatusAsync();
        service.Metrics.RecordObservableInstruments();
        service.Metrics.Measurements.SelectMany(measurement => measurement.Tags.Values).OfType<string>().ShouldAllBe(value => !value.Contains(Tenant));
        service.LogsAbout(Tenant).Where(entry => entry.Category.StartsWith("ResilientHost", StringComparison.Ordinal)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Circuits_KeyedBeyondTheirBound_ShareOne_AndAnOpenOneSurvives()
    {
        await using var service = await TestService.StartAsync(
            app => app.MapGet("/", (HttpRequest request) => request.Headers["X-Tenant"] == "bad" ? Results.StatusCode(500) : Results.Ok()).WithCircuitBreaker("keyed"),
            $$"""{ "CircuitBreakers": { "keyed": { "ConsecutiveFailures": 1, "MaxPartitions": 4, "BreakDuration": "00:10:00", "MaxBreakDuration": "00:10:00", "PartitionBy": "Header:X-Tenant" } }, {{Levels.Trusting}} }""");
        (await service.StatusAsync(Of("bad"))).ShouldBe(500);
        for (var i = 0; i < 100; i++)
        {
            (await service.StatusAsync(Of(i.ToString(CultureInfo.InvariantCulture)))).ShouldBe(200);
        }

        (await service.StatusAsync(Of("bad"))).ShouldBe(503);
    }

    [Fact]
    public async Task KeyByCode_NullEmptyThrowingOrHuge_IsAnsweredAndLeaksNothing()
    {
        await using var service = await TestService.StartAsync(new TestServiceSetup
        {
            Configuration = """{ "Bulkheads": { "shared": { "MaxConcurrency": 4 } } }""",
            Builder = builder => builder.Services.Configure<ResilienceOptions>(options => options.Bulkheads.Configure("shared", shared => shared.PartitionKey =
                context => context.Request.Query["k"].ToString() switch
                {
                    "null" => null,
                    "empty" => "",
                    "throw" => throw new InvalidOperationException("Password=hunter2"),
                    "huge" => new string('k', 10_240),
                    var key => key + "\0\r\n\ud800",
                })),
            Endpoints = app => app.MapGet("/", async () => { await Task.Yield(); return "ok"; }).WithBulkhead("shared"),
        });
        foreach (var key in new[] { "null", "empty", "throw", "huge", "odd" })
        {
            for (var i = 0; i < 3; i++)
            {
                (await service.StatusOfAsync("/?k=" + key)).ShouldBe(200);
            }
        }

        await service.NothingHeldAsync();
        service.LogsAbout("hunter2").ShouldBeEmpty();
        service.LoudLogs.Count(entry => entry.Category.StartsWith("ResilientHost", StringComparison.Ordinal)).ShouldBe(1, "the delegate that throws, once");
    }

    [Fact]
    public async Task Adaptive_LimitIsShownAndMeasured_AndLearns()
    {
        await using var service = await TestService.StartAsync(
            app => app.MapGet("/", (bool? fail) => fail == true ? Results.StatusCode(500) : Results.Ok()).WithBulkhead("learned"),
            """{ "Bulkheads": { "learned": { "Adaptive": "Aimd", "MaxConcurrency": 50, "MinConcurrency": 2 } } }""");
        (await service.BulkheadAsync("learned")).GetProperty("limit").GetInt32().ShouldBe(20);
        for (var i = 0; i < 40; i++)
        {
            (await service.StatusOfAsync("/?fail=true")).ShouldBe(500);
        }

        (await service.BulkheadAsync("learned")).GetProperty("limit").GetInt32().ShouldBe(2);
        service.Metrics.RecordObservableInstruments();
        service.Metrics.Last(ResilienceDiagnostics.Instruments.BulkheadLimit, (ResilienceDiagnostics.Tags.BulkheadName, "learned")).ShouldBe(2);
        for (var i = 0; i < 3; i++)
        {
            (await service.StatusOfAsync("/nowhere")).ShouldBe(404);
            (await service.StatusOfAsync("/")).ShouldBe(200);
        }

        (await service.BulkheadAsync("learned")).GetProperty("limit").GetInt32().ShouldBeGreaterThan(2);
    }
}
