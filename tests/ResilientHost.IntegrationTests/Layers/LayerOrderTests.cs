namespace ResilientHost.IntegrationTests.Layers;

public sealed class LayerOrderTests
{
    /// <summary>The contract's order, outermost first: recovery, bulkhead, circuit breaker, endpoint.</summary>
    [Theory, OverBothWires]
    public async Task Layers_StandInTheirFixedOrder(Wire wire)
    {
        var gate = new Gate();
        await using var service = await TestService.StartAsync(
            app =>
            {
                app.MapGet("/held", () => gate.PassAsync()).WithBulkhead("one");
                app.MapGet("/both", () => "never").WithCircuitBreaker("shut").WithBulkhead("one");
                app.MapGet("/throw", string () => throw new InvalidOperationException("order")).WithCircuitBreaker("counts").WithBulkhead("one");
            },
            """
            { "Bulkheads": { "one": { "MaxConcurrency": 1 } },
              "CircuitBreakers": { "shut": { "Mode": "ForcedOpen" }, "counts": { "ConsecutiveFailures": 100 } } }
            """);
        var holder = service.StatusOfAsync("/held", wire);
        await gate.ArrivalAsync();

        // Both would refuse: the outer one does, and the inner one is not asked.
        using (var full = await service.GetAsync("/both", wire))
        {
            await full.ShouldBeRefusalAsync(503, "bulkhead_full");
        }

        (await service.BreakerAsync("shut")).GetProperty("refused").GetInt64().ShouldBe(0);
        gate.Open();
        (await holder).ShouldBe(200);
        await service.NothingHeldAsync();

        // The inner one refuses: the outer one gives back what it holds.
        using (var open = await service.GetAsync("/both", wire))
        {
            await open.ShouldBeProblemAsync(503, "circuit_open");
        }

        await service.NothingHeldAsync();

        // The exception passes the inner layers, which count it and let go, before recovery answers.
        using (var thrown = await service.GetAsync("/throw", wire))
        {
            await thrown.ShouldBeProblemAsync(500, "unhandled_exception");
        }

        await service.NothingHeldAsync();
        (await service.BreakerAsync("counts")).GetProperty("failureRatio").GetDouble().ShouldBe(1);
    }
}
