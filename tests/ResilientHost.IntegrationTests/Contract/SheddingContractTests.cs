using Microsoft.AspNetCore.Mvc;

namespace ResilientHost.IntegrationTests.Contract;

/// <summary>Who is turned down, and what of an endpoint's metadata and a request decides it. Written from the contract alone.</summary>
public sealed class SheddingContractTests
{
    [Criticality(Criticality.Sheddable), Route("shelf")]
    public sealed class ShelfController : ControllerBase
    {
        [HttpGet("own")]
        public string Own() => "own";

        [HttpGet("vital"), Criticality(Criticality.Critical)]
        public string Vital() => "vital";

        [HttpGet("off"), DisableResilience]
        public string Off() => "off";

        [HttpGet("spare"), Fallback(nameof(GetSpare))]
        public string Spare() => "fresh";

        private string GetSpare() => "spare";
    }

    private static TestServiceSetup Setup(Action<WebApplication> endpoints, string configuration = Levels.ByHand) => new()
    {
        Configuration = configuration,
        Builder = builder =>
        {
            builder.Services.AddControllers().AddApplicationPart(typeof(ShelfController).Assembly).ConfigureApplicationPartManager(parts =>
            {
                parts.FeatureProviders.Clear();
                parts.FeatureProviders.Add(new OneController());
            });
            builder.Services.AddHealthChecks();
        },
        Endpoints = endpoints,
    };

    private sealed class OneController : Microsoft.AspNetCore.Mvc.ApplicationParts.IApplicationFeatureProvider<Microsoft.AspNetCore.Mvc.Controllers.ControllerFeature>
    {
        public void PopulateFeature(IEnumerable<Microsoft.AspNetCore.Mvc.ApplicationParts.ApplicationPart> parts, Microsoft.AspNetCore.Mvc.Controllers.ControllerFeature feature) =>
            feature.Controllers.Add(System.Reflection.IntrospectionExtensions.GetTypeInfo(typeof(ShelfController)));
    }

    [Theory, OverBothWires]
    public async Task Controller_AttributesOfActionBeatThoseOfController(Wire wire)
    {
        await using var service = await TestService.StartAsync(Setup(app => app.MapControllers()));
        service.Level().Override(ServiceLevel.Reduced);
        (await service.ServedAsync("/shelf/own", wire)).ShouldBeLessThan(10);
        (await service.ServedAsync("/shelf/vital", wire)).ShouldBe(100);
        (await service.ServedAsync("/shelf/off", wire)).ShouldBe(100);
        (await service.ServedAsync("/shelf/spare", wire)).ShouldBe(100);
        (await service.Client(wire).GetStringAsync("/shelf/spare")).ShouldBeOneOf("spare", "fresh");
    }

    [Fact]
    public async Task Controllers_ConventionOfMapControllers_IsBeatenByTheActions()
    {
        await using var service = await TestService.StartAsync(Setup(app => app.MapControllers().WithCriticality(Criticality.Sheddable)));
        service.Level().Override(ServiceLevel.Survival);
        (await service.ServedAsync("/shelf/vital")).ShouldBe(100);
    }

    [Fact]
    public async Task Group_IsBeatenByWhatTheEndpointSays()
    {
        await using var service = await TestService.StartAsync(Setup(app =>
        {
            var group = app.MapGroup("/g").WithCriticality(Criticality.Sheddable);
            group.MapGet("/inherits", () => "i");
            group.MapGet("/method", () => "m").WithCriticality(Criticality.Critical);
            group.MapGet("/attribute", [Criticality(Criticality.Critical)] () => "a");
            var inner = group.MapGroup("/inner").WithCriticality(Criticality.Critical);
            inner.MapGet("/vital", () => "v");
            inner.MapGet("/again", () => "s").WithCriticality(Criticality.Sheddable);
        }));
        service.Level().Override(ServiceLevel.Reduced);
        (await service.ServedAsync("/g/inherits")).ShouldBeLessThan(10);
        (await service.ServedAsync("/g/method")).ShouldBe(100);
        (await service.ServedAsync("/g/attribute")).ShouldBe(100);
        (await service.ServedAsync("/g/inner/vital")).ShouldBe(100);
        (await service.ServedAsync("/g/inner/again")).ShouldBeLessThan(10);
    }

    [Fact]
    public async Task UnknownCriticality_IsRefused()
    {
        Should.Throw<ArgumentOutOfRangeException>(() => new CriticalityAttribute((Criticality)9));
        (await TestService.FailToStartAsync(Setup(app => app.MapGet("/", () => "").WithCriticality((Criticality)9)))).ShouldContain("criticality", Case.Insensitive);
    }

    [Theory, OverBothWires]
    public async Task NeverShed_HealthStatusAndOperations(Wire wire)
    {
        await using var service = await TestService.StartAsync(new TestServiceSetup
        {
            Environment = Environments.Development,
            Configuration = Levels.ByHand,
            Builder = builder => builder.Services.AddHealthChecks(),
            Endpoints = app =>
            {
                var all = app.MapGroup("").WithCriticality(Criticality.Sheddable);
                all.MapHealthChecks("/health");
                all.MapResilienceStatus("/ops");
                all.MapResilienceOperations("/ops");
                all.MapGet("/shed", () => "shed");
            },
        });
        service.Level().Override(ServiceLevel.Survival);
        (await service.ServedAsync("/shed", wire)).ShouldBeLessThan(10);
        (await service.ServedAsync("/health", wire)).ShouldBe(100);
        (await service.ServedAsync("/ops/status", wire)).ShouldBe(100);
        using var content = new StringContent("""{ "level": null }""", System.Text.Encoding.UTF8, "application/json");
        using var post = await service.Client(wire).PostAsync("/ops/level", content);
        post.StatusCode.ShouldBe(HttpStatusCode.OK);
        (await service.ServedAsync("/shed", wire)).ShouldBe(100);
    }

    [Theory]
    [InlineData("sheddable", true)]
    [InlineData("SHEDDABLE", true)]
    [InlineData("", false)]
    [InlineData("0", false)]
    [InlineData("-1", false)]
    [InlineData("99999999999999999999", false)]
    [InlineData("sheddable,critical", false)]
    [InlineData("Sheddable Critical", false)]
    public async Task Header_OnlyItsWordsCount(string header, bool isShed)
    {
        await using var service = await TestService.StartAsync(Setup(app => app.MapGet("/", () => "ok")));
        service.Level().Override(ServiceLevel.Reduced);
        var served = await service.ServedAsync("/", Wire.Http1, ("Resilience-Criticality", header));
        served.ShouldBeInRange(isShed ? 0 : 100, isShed ? 9 : 100);
    }

    [Fact]
    public async Task Header_SpoofedForwardedFor_MakesNobodyTrusted()
    {
        await using var service = await TestService.StartAsync(Setup(
            app => app.MapGet("/", () => "ok").WithCriticality(Criticality.Sheddable),
            """{ "Degradation": { "Mode": "Shadow" }, "TrustedCallers": { "Networks": [ "10.0.0.0/8" ] } }"""));
        service.Level().Override(ServiceLevel.Reduced);
        (await service.ServedAsync("/", Wire.Http1, ("Resilience-Criticality", "critical"), ("X-Forwarded-For", "10.0.0.1"), ("Forwarded", "for=10.0.0.1"))).ShouldBeLessThan(10);
    }

    [Fact]
    public async Task Header_OfATrustedCaller_CannotUndoADisabledEndpointNorHealth()
    {
        await using var service = await TestService.StartAsync(Setup(
            app =>
            {
                app.MapHealthChecks("/health");
                app.MapGet("/off", () => "off").DisableResilience();
            },
            $$"""{ "Degradation": { "Mode": "Shadow" }, {{Levels.Trusting}} }"""));
        service.Level().Override(ServiceLevel.Survival);
        (await service.ServedAsync("/health", Wire.Http1, ("Resilience-Criticality", "sheddable"))).ShouldBe(100);
        (await service.ServedAsync("/off", Wire.Http1, ("Resilience-Criticality", "sheddable"))).ShouldBe(100);
    }

    [Fact]
    public async Task SameId_MeetsTheSameAnswer_OnEveryWireAndWithAnyTrace()
    {
        await using var service = await TestService.StartAsync(Setup(app => app.MapGet("/", () => "ok")));
        service.Level().Override(ServiceLevel.Essential);
        var shed = 0;
        for (var i = 0; i < 100; i++)
        {
            var first = await service.StatusAsync(Levels.Request("/", ("X-Request-ID", $"same-{i}")));
            var second = await service.StatusAsync(Levels.Request("/", ("X-Request-ID", $"same-{i}"), ("traceparent", $"00-{i + 1:x32}-00f067aa0ba902b7-01")), Wire.Http2);
            second.ShouldBe(first);
            shed += first == 503 ? 1 : 0;
        }

        shed.ShouldBeInRange(75, 100);
    }

    [Fact]
    public async Task ShedAtReduced_IsShedAtEssentialToo()
    {
        await using var service = await TestService.StartAsync(Setup(app => app.MapGet("/", () => "ok")));
        var before = new Dictionary<int, int>();
        service.Level().Override(ServiceLevel.Essential);
        for (var i = 0; i < 100; i++)
        {
            before[i] = await service.StatusAsync(Levels.Request("/", ("X-Request-ID", $"grow-{i}")));
        }

        service.Level().Override(ServiceLevel.Survival);
        for (var i = 0; i < 100; i++)
        {
            var now = await service.StatusAsync(Levels.Request("/", ("X-Request-ID", $"grow-{i}")));
            (before[i] == 503 && now == 200).ShouldBeFalse("what was turned down stays so while the ratio grows");
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("   ")]
    [InlineData("\u00ff\u00fe")]
    public async Task OddId_IsStillAnswered(string id)
    {
        await using var service = await TestService.StartAsync(Setup(app => app.MapGet("/", () => "ok").WithCriticality(Criticality.Sheddable)));
        service.Level().Override(ServiceLevel.Reduced);
        using var connection = await service.ConnectAsync();
        (await connection.RequestAsync("GET", "/", $"X-Request-ID: {id}", $"X-Request-ID: {new string('z', 4000)}")).ShouldMatch("^HTTP/1.1 (200|503|400)");
        service.ShouldHaveLoggedNoError();
    }

    [Fact]
    public async Task RetryAfter_IsSpread_AlsoWithOneId()
    {
        await using var service = await TestService.StartAsync(Setup(app => app.MapGet("/", () => "ok").WithCriticality(Criticality.Sheddable)));
        service.Level().Override(ServiceLevel.Reduced);
        var seconds = new HashSet<int>();
        for (var i = 0; i < 60; i++)
        {
            using var request = Levels.Request("/", ("X-Request-ID", $"jitter-{i}"));
            using var response = await service.SendAsync(request);
            if (response.StatusCode != HttpStatusCode.OK)
            {
                seconds.Add(await response.ShouldBeRefusalAsync(503, "shed"));
                response.Headers.GetValues("X-Request-ID").ShouldBe([$"jitter-{i}"]);
            }
        }

        seconds.Count.ShouldBeGreaterThan(2);
        seconds.ShouldAllBe(second => second >= 1 && second <= 60);
    }

    [Fact]
    public async Task Shed_HeadHasNoBody_AndTextClientsGetText()
    {
        await using var service = await TestService.StartAsync(Setup(app => app.MapMethods("/", ["GET", "HEAD", "POST"], () => "ok").WithCriticality(Criticality.Sheddable)));
        service.Level().Override(ServiceLevel.Reduced);
        var id = 0;
        while (await service.StatusAsync(Levels.Request("/", ("X-Request-ID", $"h-{id}"))) == 200)
        {
            id++;
        }

        using var connection = await service.ConnectAsync();
        var head = await connection.RequestAsync("HEAD", "/", $"X-Request-ID: h-{id}");
        head.ShouldStartWith("HTTP/1.1 503");
        head.ShouldEndWith("\r\n\r\n");
        using var text = Levels.Request("/", ("X-Request-ID", $"h-{id}"), ("Accept", "text/html"));
        using var response = await service.SendAsync(text);
        response.Content.Headers.ContentType?.MediaType.ShouldBe("text/plain");
        using var post = new HttpRequestMessage(HttpMethod.Post, "/") { Content = new ByteArrayContent(new byte[200_000]) };
        post.Headers.Add("X-Request-ID", $"h-{id}");
        (await service.StatusAsync(post)).ShouldBe(503, "a body that nobody read");
        (await service.StatusAsync(Levels.Request("/resilience/status"))).ShouldBe(200);
    }

    [Fact]
    public async Task Shed_TakesNoPermit_AndIsNoFailure()
    {
        await using var service = await TestService.StartAsync(Setup(
            app => app.MapGet("/", () => "ok").WithCriticality(Criticality.Sheddable).WithBulkhead("b").WithCircuitBreaker("c"),
            """{ "Degradation": { "Mode": "Shadow" }, "Bulkheads": { "b": { "MaxConcurrency": 1 } }, "CircuitBreakers": { "c": { "ConsecutiveFailures": 1 } } }"""));
        service.Level().Override(ServiceLevel.Reduced);
        (await service.ServedAsync("/")).ShouldBeLessThan(10);
        (await service.StateOfAsync("c")).ShouldBe("CLOSED");
        (await service.BulkheadAsync("b")).GetProperty("refused").GetInt64().ShouldBe(0);
        service.Level().ClearOverride();
        (await service.ServedAsync("/")).ShouldBe(100);
        await service.NothingHeldAsync();
    }

    [Fact]
    public async Task Shed_StaleAnswer_IsServedFromWhatWasKept()
    {
        await using var service = await TestService.StartAsync(Setup(
            app => app.MapGet("/", () => "kept").WithCriticality(Criticality.Sheddable).WithStaleFallback(TimeSpan.FromMinutes(5))));
        (await service.StatusOfAsync("/")).ShouldBe(200);
        service.Level().Override(ServiceLevel.Reduced);
        var stale = 0;
        for (var i = 0; i < 30; i++)
        {
            var answer = await Answer.OfAsync(service, "/");
            answer.Body.ShouldBe("kept");
            stale += answer.Fallback == "stale" ? 1 : 0;
        }

        stale.ShouldBeGreaterThan(20);
    }

    [Fact]
    public async Task Survival_Http1Closes_Http2DoesNot()
    {
        await using var service = await TestService.StartAsync(Setup(app =>
        {
            app.MapGet("/", () => "ok");
            app.MapGet("/vital", () => "ok").WithCriticality(Criticality.Critical);
        }));
        service.Level().Override(ServiceLevel.Survival);
        using var connection = await service.ConnectAsync();
        await connection.SendAsync("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
        var answer = await connection.ReadToEndAsync();
        answer.ShouldContain("Connection: close", Case.Insensitive);
        using var stream = await service.GetAsync("/", Wire.Http2);
        stream.Headers.Contains("Connection").ShouldBeFalse("HTTP/2 forbids the header");
        using var vital = await service.GetAsync("/vital");
        vital.Headers.ConnectionClose.ShouldNotBe(true);
        service.Level().ClearOverride();
        using var after = await service.GetAsync("/");
        after.Headers.ConnectionClose.ShouldNotBe(true);
    }

    [Theory, OverBothWires]
    public async Task Streams_ThatRun_OutliveEveryLevel(Wire wire)
    {
        var gate = new Gate();
        await using var service = await TestService.StartAsync(Setup(app => app.MapGet("/stream", async (HttpContext context) =>
        {
            await context.Response.WriteAsync("first ");
            await context.Response.Body.FlushAsync();
            await gate.PassAsync();
            await context.Response.WriteAsync("last");
        }).WithCriticality(Criticality.Sheddable)));
        using var request = Levels.Request("/stream");
        using var response = await service.SendAsync(request, wire, HttpCompletionOption.ResponseHeadersRead);
        await gate.ArrivalAsync();
        service.Level().Override(ServiceLevel.Survival);
        gate.Open();
        (await response.Content.ReadAsStringAsync()).ShouldBe("first last");
        service.ShouldHaveLoggedNoError();
    }

    [Fact]
    public async Task Overrides_RacingWithRequests_LeaveNothingBehind()
    {
        await using var service = await TestService.StartAsync(Setup(
            app => app.MapGet("/", async () => { await Task.Yield(); return "ok"; }).WithCriticality(Criticality.Sheddable).WithBulkhead("b"),
            """{ "Degradation": { "Mode": "Shadow" }, "Bulkheads": { "b": { "MaxConcurrency": 64 } }, "Connections": { "SurvivalConnectionsPerSecond": null } }"""));
        var level = service.Level();
        using var done = new CancellationTokenSource();
        var turner = Task.Run(async () =>
        {
            for (var i = 0; !done.IsCancellationRequested; i++)
            {
                level.Override((ServiceLevel)(i % 4), i % 3 == 0 ? TimeSpan.FromTicks(1 + (i % 1000)) : null, "racer");
                if (i % 5 == 0)
                {
                    level.ClearOverride();
                }

                if (i % 50 == 0)
                {
                    service.Configuration.Replace(i % 100 == 0
                        ? """{ "Degradation": { "Mode": "Shadow", "Enabled": false }, "Bulkheads": { "b": { "MaxConcurrency": 64 } } }"""
                        : """{ "Degradation": { "Mode": "Shadow" }, "Bulkheads": { "b": { "MaxConcurrency": 60 } }, "Connections": { "SurvivalConnectionsPerSecond": null } }""");
                }

                await Task.Yield();
            }
        });
        await Parallel.ForAsync(0, 400, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (i, _) =>
            (await service.StatusAsync(Levels.Request("/"), i % 2 == 0 ? Wire.Http1 : Wire.Http2)).ShouldBeOneOf(200, 503));
        await done.CancelAsync();
        await turner;
        service.Configuration.Replace("""{ "Degradation": { "Mode": "Shadow" }, "Bulkheads": { "b": { "MaxConcurrency": 64 } } }""");
        level.ClearOverride();
        level.Current.ShouldBe(ServiceLevel.Normal);
        (await service.ServedAsync("/")).ShouldBe(100);
        await service.NothingHeldAsync();
        service.ShouldHaveLoggedNoError();
    }
}
