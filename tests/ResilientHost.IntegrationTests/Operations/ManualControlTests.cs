namespace ResilientHost.IntegrationTests.Operations;

public sealed class ManualControlTests
{
    private const string Configuration = """{ "CircuitBreakers": { "orders": { "ConsecutiveFailures": 1, "BreakDuration": "00:00:10", "BreakJitter": 0 } } }""";

    private static void Map(WebApplication app)
    {
        app.MapGet("/fine", () => "fine").WithCircuitBreaker("orders");
        app.MapGet("/throw", string () => throw new InvalidOperationException("manual")).WithCircuitBreaker("orders");
    }

    private static CircuitBreaker Orders(TestService service) => service.Services.GetRequiredService<CircuitBreakerRegistry>().Get("orders");

    [Theory, OverBothWires]
    public async Task Isolate_RefusesWithoutRetryAfterUntilReset(Wire wire)
    {
        var time = new ManualTimeProvider();
        await using var service = await TestService.StartAsync(Map, Configuration, time);
        Orders(service).Isolate();
        time.Advance(TimeSpan.FromHours(1));
        using (var refused = await service.GetAsync("/fine", wire))
        {
            await refused.ShouldBeProblemAsync(503, "circuit_open");
        }

        (await service.StateOfAsync("orders")).ShouldBe("ISOLATED");
        Orders(service).Reset();
        (await service.StatusOfAsync("/fine", wire)).ShouldBe(200);
    }

    [Fact]
    public async Task ForceOpen_RefusesForAsLongAsItSays()
    {
        var time = new ManualTimeProvider();
        await using var service = await TestService.StartAsync(Map, Configuration, time);
        Orders(service).ForceOpen(TimeSpan.FromMinutes(5));
        time.Advance(TimeSpan.FromMinutes(4));
        using (var refused = await service.GetAsync("/fine"))
        {
            (await refused.ShouldBeRefusalAsync(503, "circuit_open")).ShouldBe(60);
        }

        time.Advance(TimeSpan.FromMinutes(1));
        (await service.StatusOfAsync("/fine")).ShouldBe(200);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Listener_ThrowsOrBlocks_ReachesNoCaller(bool blocks)
    {
        var gate = new Gate();
        await using var service = await TestService.StartAsync(Map, Configuration, new ManualTimeProvider());
        Orders(service).Transitioned += _ =>
        {
            if (blocks)
            {
                gate.PassAsync().GetAwaiter().GetResult();
            }

            throw new InvalidOperationException("canary-listener");
        };
        using (var thrown = await service.GetAsync("/throw"))
        {
            await thrown.ShouldBeProblemAsync(500, "unhandled_exception");
        }

        using (var refused = await service.GetAsync("/fine"))
        {
            await refused.ShouldBeRefusalAsync(503, "circuit_open");
        }

        Orders(service).Reset();
        (await service.StatusOfAsync("/fine")).ShouldBe(200);
        gate.Open();
    }
}
