namespace ResilientHost.IntegrationTests.Hosting;

public sealed class ReloadTests
{
    private static string Orders(int consecutiveFailures, string more = "") => $$"""
        { "CircuitBreakers": { "orders": { "ConsecutiveFailures": {{consecutiveFailures}}, "BreakDuration": "00:00:30", "BreakJitter": 0 } {{more}} } }
        """;

    private static void Map(WebApplication app)
    {
        app.MapGet("/throw", string () => throw new InvalidOperationException("reload")).WithCircuitBreaker("orders");
        app.MapGet("/fine", () => "fine").WithCircuitBreaker("orders");
    }

    private static Task BecomesAsync(TestService service, string path, int status) =>
        TestService.EventuallyAsync(async () => await service.StatusOfAsync(path) == status, $"{path} answers {status}");

    [Fact]
    public async Task Reload_OfThresholds_KeepsStateAndOpenUntil()
    {
        var time = new ManualTimeProvider();
        await using var service = await TestService.StartAsync(Map, Orders(2), time);
        (await service.StatusOfAsync("/throw")).ShouldBe(500);
        (await service.StatusOfAsync("/throw")).ShouldBe(500);
        time.Advance(TimeSpan.FromSeconds(10));
        service.Configuration.Replace(Orders(50));
        using var response = await service.GetAsync("/fine");
        (await response.ShouldBeRefusalAsync(503, "circuit_open")).ShouldBe(20);
    }

    [Fact]
    public async Task Reload_OfThresholds_IsInForceAtOnce()
    {
        await using var service = await TestService.StartAsync(Map, Orders(50), new ManualTimeProvider());
        (await service.StatusOfAsync("/throw")).ShouldBe(500);
        service.Configuration.Replace(Orders(3));
        (await service.StatusOfAsync("/throw")).ShouldBe(500);
        (await service.StatusOfAsync("/throw")).ShouldBe(500);
        (await service.StatusOfAsync("/fine")).ShouldBe(503, "the failure before the reload counts: three in a row");
    }

    [Theory]
    [InlineData("""{ "CircuitBreakers": { "orders": { "ConsecutiveFailures": -4 } } }""", "ConsecutiveFailures")]
    [InlineData("""{ "CircuitBreakers": { "orders": { "ConsecutiveFailures": 50, "Tpyo": 1 } } }""", "Tpyo")]
    [InlineData("""{ "CircuitBreakers": { "orders": { "ConsecutiveFailures": "many" } } }""", "many")]
    public async Task Reload_Invalid_IsLoggedAndTheLastGoodServesUntilTheNextValid(string invalid, string marker)
    {
        await using var service = await TestService.StartAsync(Map, Orders(2), new ManualTimeProvider());
        service.Configuration.Replace(invalid);
        await service.Logs.WaitForAsync(
            entry => entry.Level >= LogLevel.Warning && $"{entry.Message}{entry.Exception}".Contains(marker, StringComparison.Ordinal),
            TestService.Patience);

        (await service.StatusOfAsync("/throw")).ShouldBe(500);
        (await service.StatusOfAsync("/throw")).ShouldBe(500);
        (await service.StatusOfAsync("/fine")).ShouldBe(503);

        service.Configuration.Replace("""{ "CircuitBreakers": { "orders": { "Mode": "Disabled" } } }""");
        await BecomesAsync(service, "/fine", 200);
    }

    [Theory]
    [InlineData("""{ "CircuitBreakers": { "Enabled": false, "orders": { "ConsecutiveFailures": 1 } } }""")]
    [InlineData("""{ "Enabled": false, "CircuitBreakers": { "orders": { "ConsecutiveFailures": 1 } } }""")]
    public async Task KillSwitch_CircuitBreakers_WorksLiveBothWays(string off)
    {
        const string On = """{ "CircuitBreakers": { "orders": { "ConsecutiveFailures": 1 } } }""";
        await using var service = await TestService.StartAsync(Map, On, new ManualTimeProvider());
        (await service.StatusOfAsync("/throw")).ShouldBe(500);
        (await service.StatusOfAsync("/fine")).ShouldBe(503);
        service.Configuration.Replace(off);
        await BecomesAsync(service, "/fine", 200);
        (await service.StatusOfAsync("/throw")).ShouldBe(500);
        (await service.StatusOfAsync("/fine")).ShouldBe(200);

        service.Configuration.Replace(On);
        await TestService.EventuallyAsync(
            async () =>
            {
                await service.StatusOfAsync("/throw");
                return await service.StatusOfAsync("/fine") == 503;
            },
            "the circuit breaker refuses again");
    }

    [Fact]
    public async Task KillSwitch_Bulkheads_WorksLiveAndConservesPermits()
    {
        const string On = """{ "Bulkheads": { "one": { "MaxConcurrency": 1 } } }""";
        var gate = new Gate();
        await using var service = await TestService.StartAsync(
            app =>
            {
                app.MapGet("/held", () => gate.PassAsync()).WithBulkhead("one");
                app.MapGet("/fine", () => "fine").WithBulkhead("one");
            },
            On);
        var holder = service.StatusOfAsync("/held");
        await gate.ArrivalAsync();
        (await service.StatusOfAsync("/fine")).ShouldBe(503);
        service.Configuration.Replace("""{ "Bulkheads": { "Enabled": false, "one": { "MaxConcurrency": 1 } } }""");
        await BecomesAsync(service, "/fine", 200);
        var second = service.StatusOfAsync("/held");
        await gate.ArrivalAsync();
        service.Configuration.Replace(On);
        await BecomesAsync(service, "/fine", 503);
        gate.Open();
        (await holder).ShouldBe(200);
        (await second).ShouldBe(200);
        await service.NothingHeldAsync();
        (await service.StatusOfAsync("/fine")).ShouldBe(200);
    }

    [Theory]
    [InlineData("""{ "Recovery": { "Enabled": false } }""")]
    [InlineData("""{ "Enabled": false }""")]
    public async Task KillSwitch_Recovery_HandsExceptionsToTheServer(string off)
    {
        await using var service = await TestService.StartAsync(app => app.MapGet("/throw", async Task<string> () =>
        {
            await Task.Yield();
            throw new InvalidOperationException("marker-off");
        }));
        using (var problem = await service.GetAsync("/throw"))
        {
            await problem.ShouldBeProblemAsync(500, "unhandled_exception");
        }

        service.Configuration.Replace(off);
        await TestService.EventuallyAsync(
            async () =>
            {
                using var bare = await service.GetAsync("/throw");
                bare.StatusCode.ShouldBe(HttpStatusCode.InternalServerError);
                return (await bare.Content.ReadAsByteArrayAsync()).Length == 0;
            },
            "the server's own bare answer");
        service.Configuration.Replace("{ }");
        await TestService.EventuallyAsync(
            async () =>
            {
                using var again = await service.GetAsync("/throw");
                return again.Content.Headers.ContentType?.MediaType == "application/problem+json";
            },
            "problems again");
        await service.NothingHeldAsync();
    }

    [Fact]
    public async Task Reload_OfBulkheadLimit_KeepsThoseInside()
    {
        var gate = new Gate();
        await using var service = await TestService.StartAsync(
            app =>
            {
                app.MapGet("/held", () => gate.PassAsync()).WithBulkhead("one");
                app.MapGet("/fine", () => "fine").WithBulkhead("one");
            },
            """{ "Bulkheads": { "one": { "MaxConcurrency": 3 } } }""");
        Task<int>[] holders = [service.StatusOfAsync("/held"), service.StatusOfAsync("/held")];
        await gate.ArrivalAsync();
        await gate.ArrivalAsync();
        service.Configuration.Replace("""{ "Bulkheads": { "one": { "MaxConcurrency": 1 } } }""");
        await BecomesAsync(service, "/fine", 503);
        (await service.InFlightAsync("one")).ShouldBe(2);
        gate.Open();
        (await Task.WhenAll(holders)).ShouldBe([200, 200]);
        await service.NothingHeldAsync();
        (await service.StatusOfAsync("/fine")).ShouldBe(200);
    }

    [Fact]
    public async Task Reload_NameVanishes_EndpointKeepsItsLastPolicy()
    {
        await using var service = await TestService.StartAsync(Map, Orders(2), new ManualTimeProvider());
        (await service.StatusOfAsync("/throw")).ShouldBe(500);
        service.Configuration.Replace("{ }");
        (await service.StatusOfAsync("/throw")).ShouldBe(500);
        (await service.StatusOfAsync("/fine")).ShouldBe(503);
    }
}
