namespace ResilientHost.IntegrationTests.Recovery;

public sealed class ClientGoneTests
{
    private const string Configuration = """
        { "CircuitBreakers": { "orders": { "ConsecutiveFailures": 1 } }, "Bulkheads": { "orders": { "MaxConcurrency": 1, "QueueLength": 5 } } }
        """;

    private static TestServiceSetup Setup(Gate gate, List<int> statuses) => new()
    {
        Configuration = Configuration,
        Outside = app => app.Use(async (context, next) =>
        {
            await next(context);
            lock (statuses)
            {
                statuses.Add(context.Response.StatusCode);
            }
        }),
        Endpoints = app =>
        {
            app.MapGet("/heeds", (HttpContext context) => gate.PassAsync(context.RequestAborted)).WithCircuitBreaker("orders").WithBulkhead("orders");
            app.MapGet("/ignores", () => gate.PassAsync()).WithCircuitBreaker("orders").WithBulkhead("orders");
            app.MapPost("/reads", async (HttpContext context) =>
            {
                var arrival = gate.PassAsync(CancellationToken.None);
                await new StreamReader(context.Request.Body).ReadToEndAsync(context.RequestAborted);
                await arrival;
            }).WithCircuitBreaker("orders").WithBulkhead("orders");
        },
    };

    [Theory, OverBothWires]
    public async Task Client_LeavesWhileTheEndpointWorks_Is499NoErrorAndNotAFailure(Wire wire)
    {
        var gate = new Gate();
        List<int> statuses = [];
        await using var service = await TestService.StartAsync(Setup(gate, statuses));
        using var client = new CancellationTokenSource();
        var call = service.Client(wire).GetAsync("/heeds", client.Token);
        await gate.ArrivalAsync();
        await client.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => call);

        await service.NothingHeldAsync();
        await TestService.EventuallyAsync(
            async () =>
            {
                await service.StatusAsync();
                lock (statuses)
                {
                    return statuses.Contains(499);
                }
            },
            "a 499");
        var breaker = await service.BreakerAsync("orders");
        breaker.GetProperty("calls").GetInt32().ShouldBe(0);
        breaker.GetProperty("failureRatio").GetDouble().ShouldBe(0);
        service.ShouldHaveLoggedNoError();
    }

    [Fact]
    public async Task Client_ResetsTheConnection_IsNotAFailure()
    {
        var gate = new Gate();
        await using var service = await TestService.StartAsync(Setup(gate, []));
        using var connection = await service.ConnectAsync();
        await connection.SendAsync("GET /heeds HTTP/1.1\r\nHost: localhost\r\n\r\n");
        await gate.ArrivalAsync();
        connection.Reset();
        await service.NothingHeldAsync();
        (await service.BreakerAsync("orders")).GetProperty("calls").GetInt32().ShouldBe(0);
        service.ShouldHaveLoggedNoError();
    }

    [Fact]
    public async Task Client_LeavesInTheMiddleOfItsBody_IsNotAFailure()
    {
        var gate = new Gate();
        gate.Open();
        await using var service = await TestService.StartAsync(Setup(gate, []));
        using var connection = await service.ConnectAsync();
        await connection.SendAsync("POST /reads HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nhalf of");
        await gate.ArrivalAsync();
        connection.Reset();
        await service.NothingHeldAsync();
        var breaker = await service.BreakerAsync("orders");
        breaker.GetProperty("failureRatio").GetDouble().ShouldBe(0);
        service.ShouldHaveLoggedNoError();
    }

    [Theory, OverBothWires]
    public async Task Client_LeavesButTheWorkGoesOn_TheLeaseIsHeldUntilItEnds(Wire wire)
    {
        var gate = new Gate();
        List<int> statuses = [];
        await using var service = await TestService.StartAsync(Setup(gate, statuses));
        using var client = new CancellationTokenSource();
        var call = service.Client(wire).GetAsync("/ignores", client.Token);
        await gate.ArrivalAsync();
        await client.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => call);

        (await service.InFlightAsync("orders")).ShouldBe(1);
        gate.Open();
        await service.NothingHeldAsync();
    }

    [Theory, OverBothWires]
    public async Task Client_LeavesTheQueue_LeavesNoTrace(Wire wire)
    {
        var gate = new Gate();
        await using var service = await TestService.StartAsync(Setup(gate, []));
        var holder = service.GetAsync("/heeds", wire);
        await gate.ArrivalAsync();
        using var client = new CancellationTokenSource();
        var waiting = service.Client(wire).GetAsync("/heeds", client.Token);
        await service.QueuedAsync("orders", 1);
        await client.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => waiting);
        await service.QueuedAsync("orders", 0);

        gate.Open();
        (await holder).StatusCode.ShouldBe(HttpStatusCode.OK);
        await service.NothingHeldAsync();
        (await service.BreakerAsync("orders")).GetProperty("calls").GetInt32().ShouldBe(1);
        service.ShouldHaveLoggedNoError();
    }
}
