using System.Collections.Concurrent;

namespace ResilientHost.IntegrationTests.Layers;

public sealed class BulkheadTests
{
    private static string Configuration(string bulkhead) => $$"""{ "Bulkheads": { "small": {{bulkhead}} }, "CircuitBreakers": { "orders": { "ConsecutiveFailures": 1 } } }""";

    [Theory, OverBothWires]
    public async Task Bulkhead_Full_RefusesAtOnce(Wire wire)
    {
        var gate = new Gate();
        await using var service = await TestService.StartAsync(
            app => app.MapGet("/", () => gate.PassAsync()).WithBulkhead("small"),
            Configuration("""{ "MaxConcurrency": 2 }"""));
        Task<int>[] holders = [service.StatusOfAsync("/", wire), service.StatusOfAsync("/", wire)];
        await gate.ArrivalAsync();
        await gate.ArrivalAsync();

        using var refused = await service.GetAsync("/", wire);
        await refused.ShouldBeRefusalAsync(503, "bulkhead_full");
        var bulkhead = await service.BulkheadAsync("small");
        bulkhead.GetProperty("inFlight").GetInt32().ShouldBe(2);
        bulkhead.GetProperty("limit").GetInt32().ShouldBe(2);
        bulkhead.GetProperty("refused").GetInt64().ShouldBe(1);

        gate.Open();
        (await Task.WhenAll(holders)).ShouldBe([200, 200]);
        await service.NothingHeldAsync();
        (await service.StatusOfAsync("/", wire)).ShouldBe(200);
    }

    [Fact]
    public async Task Bulkhead_SharedByName_IsOneLimit()
    {
        var gate = new Gate();
        await using var service = await TestService.StartAsync(
            app =>
            {
                app.MapGet("/one", () => gate.PassAsync()).WithBulkhead("small");
                app.MapGet("/two", () => "two").WithBulkhead("small");
                app.MapGet("/free", () => "free");
            },
            Configuration("""{ "MaxConcurrency": 1 }"""));
        var holder = service.StatusOfAsync("/one");
        await gate.ArrivalAsync();
        (await service.StatusOfAsync("/two")).ShouldBe(503);
        (await service.StatusOfAsync("/free")).ShouldBe(200);
        gate.Open();
        (await holder).ShouldBe(200);
    }

    [Fact]
    public async Task Automatic_HasNoLimitAndOnlyMeasures()
    {
        var gate = new Gate();
        await using var service = await TestService.StartAsync(app => app.MapGet("/free", () => gate.PassAsync()));
        var calls = Enumerable.Range(0, 300).Select(_ => service.StatusOfAsync("/free")).ToArray();
        for (var i = 0; i < calls.Length; i++)
        {
            await gate.ArrivalAsync();
        }

        (await service.InFlightAsync("GET /free")).ShouldBe(300);
        gate.Open();
        (await Task.WhenAll(calls)).ShouldAllBe(status => status == 200);
        await service.NothingHeldAsync();
    }

    [Theory, OverBothWires]
    public async Task Queue_Timeout_Refuses(Wire wire)
    {
        var gate = new Gate();
        var time = new ManualTimeProvider();
        await using var service = await TestService.StartAsync(
            app => app.MapGet("/", () => gate.PassAsync()).WithBulkhead("small"),
            Configuration("""{ "MaxConcurrency": 1, "QueueLength": 1, "QueueTimeout": "00:00:01" }"""),
            time);
        var holder = service.StatusOfAsync("/", wire);
        await gate.ArrivalAsync();
        var armed = time.ArmedTimers;
        var waiting = service.GetAsync("/", wire);
        await service.QueuedAsync("small", 1);

        // A waiter is counted a moment before its timer is armed.
        await TestService.EventuallyAsync(async () => (await service.BulkheadAsync("small")).GetProperty("queued").GetInt32() == 1 && time.ArmedTimers > armed, "the waiter's timer armed");

        using var full = await service.GetAsync("/", wire);
        await full.ShouldBeRefusalAsync(503, "bulkhead_full");

        time.Advance(TimeSpan.FromSeconds(1));
        using var timedOut = await waiting;
        await timedOut.ShouldBeRefusalAsync(503, "queue_timeout");
        gate.Open();
        (await holder).ShouldBe(200);
        await service.NothingHeldAsync();
    }

    [Theory]
    [InlineData("OldestFirst", new[] { 0, 1, 2 })]
    [InlineData("NewestFirst", new[] { 2, 1, 0 })]
    public async Task Queue_Order_DecidesWhoIsNext(string order, int[] expected)
    {
        var gate = new Gate();
        var served = new ConcurrentQueue<int>();
        await using var service = await TestService.StartAsync(
            app =>
            {
                app.MapGet("/hold", () => gate.PassAsync()).WithBulkhead("small");
                app.MapGet("/{id:int}", (int id) => served.Enqueue(id)).WithBulkhead("small");
            },
            Configuration($$"""{ "MaxConcurrency": 1, "QueueLength": 3, "QueueTimeout": "00:01:00", "QueueOrder": "{{order}}" }"""));
        var calls = new List<Task<int>> { service.StatusOfAsync("/hold") };
        await gate.ArrivalAsync();
        for (var id = 0; id < 3; id++)
        {
            calls.Add(service.StatusOfAsync($"/{id}"));
            await service.QueuedAsync("small", id + 1);
        }

        gate.Open();
        (await Task.WhenAll(calls)).ShouldAllBe(status => status == 200);
        served.ShouldBe(expected);
    }

    [Fact]
    public async Task Queue_FullAndNewestFirst_RefusesTheOldestWaiter()
    {
        var gate = new Gate();
        await using var service = await TestService.StartAsync(
            app => app.MapGet("/", () => gate.PassAsync()).WithBulkhead("small"),
            Configuration("""{ "MaxConcurrency": 1, "QueueLength": 1, "QueueTimeout": "00:01:00", "QueueOrder": "NewestFirst" }"""));
        var holder = service.StatusOfAsync("/");
        await gate.ArrivalAsync();
        var oldest = service.GetAsync("/");
        await service.QueuedAsync("small", 1);
        var newest = service.StatusOfAsync("/");
        using var refused = await oldest;
        await refused.ShouldBeRefusalAsync(503, "bulkhead_full");
        gate.Open();
        (await holder).ShouldBe(200);
        (await newest).ShouldBe(200);
    }

    [Theory, OverBothWires]
    public async Task Queue_CircuitIsOpen_IsRefusedAtOnceInsteadOfWaiting(Wire wire)
    {
        var gate = new Gate();
        await using var service = await TestService.StartAsync(
            app =>
            {
                app.MapGet("/held", () => gate.PassAsync()).WithCircuitBreaker("orders").WithBulkhead("small");
                app.MapGet("/trip", string () => throw new InvalidOperationException("trip")).WithCircuitBreaker("orders");
            },
            Configuration("""{ "MaxConcurrency": 1, "QueueLength": 5, "QueueTimeout": "00:01:00" }"""),
            new ManualTimeProvider());
        var holder = service.StatusOfAsync("/held", wire);
        await gate.ArrivalAsync();
        (await service.StatusOfAsync("/trip", wire)).ShouldBe(500);

        using var refused = await service.GetAsync("/held", wire);
        await refused.ShouldBeRefusalAsync(503, "circuit_open");
        (await service.BreakerAsync("orders")).GetProperty("refused").GetInt64().ShouldBe(1);
        gate.Open();
        (await holder).ShouldBe(200);
        await service.NothingHeldAsync();
    }

    [Fact]
    public async Task Queue_CircuitOpensWhileWaiting_RefusesAfterTheWaitAndGivesThePermitBack()
    {
        var gate = new Gate();
        await using var service = await TestService.StartAsync(
            app =>
            {
                app.MapGet("/held", () => gate.PassAsync()).WithCircuitBreaker("orders").WithBulkhead("small");
                app.MapGet("/trip", string () => throw new InvalidOperationException("trip")).WithCircuitBreaker("orders");
            },
            Configuration("""{ "MaxConcurrency": 1, "QueueLength": 5, "QueueTimeout": "00:01:00" }"""),
            new ManualTimeProvider());
        var holder = service.StatusOfAsync("/held");
        await gate.ArrivalAsync();
        var waiting = service.GetAsync("/held");
        await service.QueuedAsync("small", 1);
        (await service.StatusOfAsync("/trip")).ShouldBe(500);
        gate.Open();
        (await holder).ShouldBe(200);
        using var refused = await waiting;
        await refused.ShouldBeRefusalAsync(503, "circuit_open");
        await service.NothingHeldAsync();
    }

    [Theory]
    [InlineData(Wire.Http1, "/sync")]
    [InlineData(Wire.Http1, "/async")]
    [InlineData(Wire.Http1, "/started")]
    [InlineData(Wire.Http2, "/sync")]
    [InlineData(Wire.Http2, "/async")]
    [InlineData(Wire.Http2, "/started")]
    public async Task Endpoint_Throws_GivesItsPermitBack(Wire wire, string path)
    {
        await using var service = await TestService.StartAsync(
            app =>
            {
                app.MapGet("/sync", string () => throw new InvalidOperationException("sync")).WithBulkhead("small");
                app.MapGet("/async", async Task<string> () =>
                {
                    await Task.Yield();
                    throw new InvalidOperationException("async");
                }).WithBulkhead("small");
                app.MapGet("/started", async (HttpContext context) =>
                {
                    await context.Response.WriteAsync("part");
                    throw new InvalidOperationException("started");
                }).WithBulkhead("small");
            },
            Configuration("""{ "MaxConcurrency": 1 }"""));
        for (var i = 0; i < 5; i++)
        {
            try
            {
                (await service.StatusOfAsync(path, wire)).ShouldBe(500);
            }
            catch (HttpRequestException) when (path == "/started")
            {
                // What the test is about is on the server.
            }

            await service.NothingHeldAsync();
        }

        (await service.BulkheadAsync("small")).GetProperty("refused").GetInt64().ShouldBe(0);
    }

    [Fact]
    public async Task Shadow_BeyondTheLimit_Admits()
    {
        var gate = new Gate();
        await using var service = await TestService.StartAsync(
            app => app.MapGet("/", () => gate.PassAsync()).WithBulkhead("small"),
            Configuration("""{ "MaxConcurrency": 1, "Mode": "Shadow" }"""));
        var calls = Enumerable.Range(0, 3).Select(_ => service.StatusOfAsync("/")).ToArray();
        for (var i = 0; i < 3; i++)
        {
            await gate.ArrivalAsync();
        }

        gate.Open();
        (await Task.WhenAll(calls)).ShouldBe([200, 200, 200]);
        await service.NothingHeldAsync();
    }
}
