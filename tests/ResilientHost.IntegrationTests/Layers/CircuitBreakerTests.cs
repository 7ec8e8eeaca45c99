using System.Collections.Concurrent;

namespace ResilientHost.IntegrationTests.Layers;

public sealed class CircuitBreakerTests
{
    private const string Orders = """
        { "CircuitBreakers": { "orders": { "ConsecutiveFailures": 2, "BreakDuration": "00:00:10", "BreakJitter": 0, "HalfOpenProbes": 3 } } }
        """;

    private static void MapOrders(WebApplication app)
    {
        app.MapGet("/throw", string () => throw new InvalidOperationException("orders")).WithCircuitBreaker("orders");
        app.MapGet("/status/{status:int}", (int status) => Results.StatusCode(status)).WithCircuitBreaker("orders");
        app.MapGet("/key", string () => throw new KeyNotFoundException()).WithCircuitBreaker("orders");
        app.MapGet("/fine", () => "fine").WithCircuitBreaker("orders");
    }

    private static async Task TripAsync(TestService service, string path = "/throw")
    {
        (await service.StatusOfAsync(path)).ShouldBe(500);
        (await service.StatusOfAsync(path)).ShouldBe(500);
    }

    [Theory, OverBothWires]
    public async Task Circuit_Open_RefusesAndCountsDownRetryAfter(Wire wire)
    {
        var time = new ManualTimeProvider();
        await using var service = await TestService.StartAsync(MapOrders, Orders, time);
        await TripAsync(service);

        foreach (var (elapsed, expected) in (IEnumerable<(double, int)>)[(0, 10), (3.5, 7), (6.4, 1)])
        {
            time.Advance(TimeSpan.FromSeconds(elapsed));
            using var response = await service.GetAsync("/fine", wire);
            (await response.ShouldBeRefusalAsync(503, "circuit_open")).ShouldBe(expected);
        }

        var breaker = await service.BreakerAsync("orders");
        breaker.GetProperty("refused").GetInt64().ShouldBe(3);
        breaker.GetProperty("retryAfterSeconds").GetDouble().ShouldBeInRange(0.05, 1);
    }

    [Fact]
    public async Task Circuit_ForcedOpenByMode_RefusesWithoutRetryAfter()
    {
        await using var service = await TestService.StartAsync(
            app => app.MapGet("/", () => "never").WithCircuitBreaker("shut"),
            """{ "CircuitBreakers": { "shut": { "Mode": "ForcedOpen" } } }""");
        using var response = await service.GetAsync("/");
        await response.ShouldBeProblemAsync(503, "circuit_open");
    }

    [Fact]
    public async Task Head_CircuitOpen_HasNoBody()
    {
        await using var service = await TestService.StartAsync(
            app => app.MapMethods("/", ["HEAD"], () => "never").WithCircuitBreaker("shut"),
            """{ "CircuitBreakers": { "shut": { "Mode": "ForcedOpen" } } }""");
        using var connection = await service.ConnectAsync();
        var answer = await connection.RequestAsync("HEAD", "/");
        answer.ShouldStartWith("HTTP/1.1 503 ");
        answer.ShouldEndWith("\r\n\r\n");
    }

    [Fact]
    public async Task Name_SharedByEndpoints_SharesTheCircuit()
    {
        await using var service = await TestService.StartAsync(MapOrders, Orders);
        (await service.StatusOfAsync("/throw")).ShouldBe(500);
        (await service.StatusOfAsync("/status/503")).ShouldBe(503);
        using var response = await service.GetAsync("/fine");
        await response.ShouldBeRefusalAsync(503, "circuit_open");
    }

    [Theory]
    [InlineData("/status/500", "OPEN")]
    [InlineData("/status/503", "OPEN")]
    [InlineData("/status/404", "CLOSED")]
    [InlineData("/status/429", "CLOSED")]
    [InlineData("/key", "CLOSED")]
    public async Task Answer_Status_DecidesHowTheCallCounts(string path, string state)
    {
        await using var service = await TestService.StartAsync(MapOrders, """
            { "CircuitBreakers": { "orders": { "ConsecutiveFailures": 2 } },
              "Recovery": { "StatusCodes": { "System.Collections.Generic.KeyNotFoundException": 404 } } }
            """);
        await service.StatusOfAsync(path);
        await service.StatusOfAsync(path);
        await TestService.EventuallyAsync(async () => (await service.BreakerAsync("orders")).GetProperty("calls").GetInt32() == (state == "OPEN" ? 0 : 2), "both calls counted");
        (await service.StateOfAsync("orders")).ShouldBe(state);
    }

    [Fact]
    public async Task Automatic_ByDefault_IsAShadowThatNeverRefuses()
    {
        await using var service = await TestService.StartAsync(app => app.MapGet("/fails/{id:int}", string (int id) => throw new InvalidOperationException("shadow")));
        for (var i = 0; i < 30; i++)
        {
            (await service.StatusOfAsync($"/fails/{i}")).ShouldBe(500);
        }

        var breaker = await service.BreakerAsync("GET /fails/{id}");
        breaker.GetProperty("mode").GetString().ShouldNotBeNull().ToUpperInvariant().ShouldBe("SHADOW");
        (await service.StateOfAsync("GET /fails/{id}")).ShouldBe("OPEN");
        breaker.GetProperty("refused").GetInt64().ShouldBe(0);
    }

    [Theory, OverBothWires]
    public async Task Automatic_DefaultModeSaysEnforce_Refuses(Wire wire)
    {
        await using var service = await TestService.StartAsync(
            app =>
            {
                app.MapGet("/fails", string () => throw new InvalidOperationException("enforced"));
                app.MapGet("/fine", () => "fine");
            },
            """{ "CircuitBreakers": { "Default": { "Mode": "Enforce", "MinimumThroughput": 4 } } }""");
        for (var i = 0; i < 4; i++)
        {
            (await service.StatusOfAsync("/fails", wire)).ShouldBe(500);
        }

        using var refused = await service.GetAsync("/fails", wire);
        await refused.ShouldBeRefusalAsync(503, "circuit_open");
        (await service.StatusOfAsync("/fine", wire)).ShouldBe(200);
    }

    [Fact]
    public async Task Named_Inherit_TakesTheParentsThresholds()
    {
        await using var service = await TestService.StartAsync(MapOrders, """
            { "CircuitBreakers": { "strict": { "ConsecutiveFailures": 2 }, "orders": { "Inherit": "strict", "BreakDuration": "00:01:00" } } }
            """);
        await TripAsync(service);
        using var response = await service.GetAsync("/fine");
        (await response.ShouldBeRefusalAsync(503, "circuit_open")).ShouldBeInRange(53, 66);
    }

    [Theory, OverBothWires]
    public async Task HalfOpen_ProbesSucceed_Recovers(Wire wire)
    {
        var time = new ManualTimeProvider();
        await using var service = await TestService.StartAsync(MapOrders, Orders, time);
        await TripAsync(service);
        time.Advance(TimeSpan.FromSeconds(10));
        (await service.StateOfAsync("orders")).Replace("_", "", StringComparison.Ordinal).ShouldBe("HALFOPEN");
        for (var probe = 0; probe < 3; probe++)
        {
            (await service.StatusOfAsync("/fine", wire)).ShouldBe(200);
        }

        await TestService.EventuallyAsync(async () => await service.StateOfAsync("orders") == "CLOSED", "closed after the probes");
        (await service.StatusOfAsync("/fine", wire)).ShouldBe(200);
    }

    [Fact]
    public async Task HalfOpen_ProbesFail_OpensAgainForLonger()
    {
        var time = new ManualTimeProvider();
        await using var service = await TestService.StartAsync(MapOrders, Orders, time);
        await TripAsync(service);
        time.Advance(TimeSpan.FromSeconds(10));
        await TripAsync(service);
        using var response = await service.GetAsync("/fine");
        (await response.ShouldBeRefusalAsync(503, "circuit_open")).ShouldBe(20);
    }

    [Fact]
    public async Task HalfOpen_AllProbesInFlight_RefusesWithoutRetryAfter()
    {
        var time = new ManualTimeProvider();
        var gate = new Gate();
        await using var service = await TestService.StartAsync(
            app =>
            {
                MapOrders(app);
                app.MapGet("/held", () => gate.PassAsync()).WithCircuitBreaker("orders");
            },
            Orders,
            time);
        await TripAsync(service);
        time.Advance(TimeSpan.FromSeconds(10));
        var probes = Enumerable.Range(0, 3).Select(_ => service.StatusOfAsync("/held")).ToArray();
        for (var probe = 0; probe < 3; probe++)
        {
            await gate.ArrivalAsync();
        }

        using var refused = await service.GetAsync("/fine");
        await refused.ShouldBeProblemAsync(503, "circuit_open");
        gate.Open();
        (await Task.WhenAll(probes)).ShouldBe([200, 200, 200]);
        await TestService.EventuallyAsync(async () => await service.StateOfAsync("orders") == "CLOSED", "closed after the probes");
    }

    [Theory]
    [InlineData("/throw", 500)]
    [InlineData("/late", 504)]
    [InlineData("/kept", 503)]
    public async Task Failure_BeforeItsAnswerStarts_IsCounted(string path, int status)
    {
        var states = new ConcurrentQueue<CircuitState>();
        await using var service = await TestService.StartAsync(
            app =>
            {
                app.Use((context, next) =>
                {
                    context.Response.OnStarting(() =>
                    {
                        states.Enqueue(context.RequestServices.GetRequiredService<CircuitBreakerRegistry>().Get("orders").State);
                        return Task.CompletedTask;
                    });
                    return next(context);
                });
                MapOrders(app);
                app.MapGet("/late", (CancellationToken token) => Task.Delay(Timeout.Infinite, token)).WithTimeout(TimeSpan.FromMilliseconds(50)).WithCircuitBreaker("orders");
                app.MapGet("/kept", async context =>
                {
                    context.Response.StatusCode = 503;
                    await context.Response.WriteAsync("out of order");
                    await context.Response.Body.FlushAsync();
                }).WithStaleFallback(TimeSpan.FromMinutes(1)).WithCircuitBreaker("orders");
            },
            """{ "CircuitBreakers": { "orders": { "ConsecutiveFailures": 1 } } }""");
        (await service.StatusOfAsync(path)).ShouldBe(status);
        states.ShouldBe([CircuitState.Open]);
    }

    [Theory, OverBothWires]
    public async Task HalfOpen_ProbesClientLeaves_GivesThePlaceBack(Wire wire)
    {
        var time = new ManualTimeProvider();
        var gate = new Gate();
        await using var service = await TestService.StartAsync(
            app =>
            {
                MapOrders(app);
                app.MapGet("/held", (HttpContext context) => gate.PassAsync(context.RequestAborted)).WithCircuitBreaker("orders").WithBulkhead("count");
            },
            """
            { "CircuitBreakers": { "orders": { "ConsecutiveFailures": 2, "BreakDuration": "00:00:10", "BreakJitter": 0, "HalfOpenProbes": 1 } }, "Bulkheads": { "count": { } } }
            """,
            time);
        await TripAsync(service);
        time.Advance(TimeSpan.FromSeconds(10));
        using var client = new CancellationTokenSource();
        var probe = service.Client(wire).GetAsync("/held", client.Token);
        await gate.ArrivalAsync();
        (await service.StatusOfAsync("/fine", wire)).ShouldBe(503);
        await client.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => probe);
        await service.NothingHeldAsync();
        (await service.StatusOfAsync("/fine", wire)).ShouldBe(200);
        await TestService.EventuallyAsync(async () => await service.StateOfAsync("orders") == "CLOSED", "closed after the probe");
    }

    [Fact]
    public async Task Refusal_OfAnotherLayer_IsNotCountedByTheCircuit()
    {
        var gate = new Gate();
        await using var service = await TestService.StartAsync(
            app => app.MapGet("/", () => gate.PassAsync()).WithCircuitBreaker("orders").WithBulkhead("one"),
            """{ "CircuitBreakers": { "orders": { "ConsecutiveFailures": 1 } }, "Bulkheads": { "one": { "MaxConcurrency": 1 } } }""");
        var holder = service.StatusOfAsync("/");
        await gate.ArrivalAsync();
        (await service.StatusOfAsync("/")).ShouldBe(503);
        (await service.BreakerAsync("orders")).GetProperty("calls").GetInt32().ShouldBe(0);
        gate.Open();
        (await holder).ShouldBe(200);
    }
}
