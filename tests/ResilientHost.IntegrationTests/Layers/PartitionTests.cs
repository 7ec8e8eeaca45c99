using System.Globalization;

namespace ResilientHost.IntegrationTests.Layers;

/// <summary>Bulkheads and circuits that tell callers apart, on real requests.</summary>
public sealed class PartitionTests
{
    private const string Trusted = """ "TrustedCallers": { "Networks": [ "127.0.0.0/8", "::1" ] } """;

    private static async Task<HttpResponseMessage> GetAsync(TestService service, string path, string tenant, Wire wire = Wire.Http1)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Add("X-Tenant", tenant);
        return await service.SendAsync(request, wire);
    }

    [Theory, OverBothWires]
    public async Task Flooder_BeyondItsShare_Gets429_OthersTheRoom(Wire wire)
    {
        var gate = new Gate();
        await using var service = await TestService.StartAsync(
            app => app.MapGet("/", () => gate.PassAsync()).WithBulkhead("shared"),
            $$"""{ "Bulkheads": { "shared": { "MaxConcurrency": 4, "PartitionBy": "Header:X-Tenant" } }, {{Trusted}} }""");
        var flood = Enumerable.Range(0, 4).Select(_ => GetAsync(service, "/", "flood", wire)).ToArray();
        for (var i = 0; i < 4; i++)
        {
            await gate.ArrivalAsync();
        }

        // The host is full: nobody's fault, and remembered as what the other wants.
        using (var other = await GetAsync(service, "/", "other", wire))
        {
            await other.ShouldBeRefusalAsync(503, "bulkhead_full");
        }

        using (var more = await GetAsync(service, "/", "flood", wire))
        {
            await more.ShouldBeRefusalAsync(429, "bulkhead_full");
        }

        gate.Open();
        foreach (var response in await Task.WhenAll(flood))
        {
            response.StatusCode.ShouldBe(HttpStatusCode.OK);
            response.Dispose();
        }

        await service.NothingHeldAsync();
        using var again = await GetAsync(service, "/", "other", wire);
        again.StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Circuit_OfOneCaller_OpensForThatCallerAlone()
    {
        await using var service = await TestService.StartAsync(
            app => app.MapGet("/", (HttpRequest request) => request.Headers["X-Tenant"] == "bad" ? Results.StatusCode(500) : Results.Ok()).WithCircuitBreaker("keyed"),
            $$"""{ "CircuitBreakers": { "keyed": { "ConsecutiveFailures": 2, "PartitionBy": "Header:X-Tenant" } }, {{Trusted}} }""");
        for (var i = 0; i < 2; i++)
        {
            (await GetAsync(service, "/", "bad")).StatusCode.ShouldBe(HttpStatusCode.InternalServerError);
        }

        using (var refused = await GetAsync(service, "/", "bad"))
        {
            await refused.ShouldBeRefusalAsync(503, "circuit_open");
        }

        (await GetAsync(service, "/", "good")).StatusCode.ShouldBe(HttpStatusCode.OK);
        var open = (await service.StatusAsync()).GetProperty("circuitBreakers").EnumerateArray()
            .Single(breaker => breaker.GetProperty("name").GetString() == "keyed" && breaker.GetProperty("key").ValueKind == JsonValueKind.String);
        open.GetProperty("state").GetString().ShouldBe("open");
        open.GetProperty("key").GetString().ShouldNotBeNull().ShouldMatch("^#[0-9a-f]{8}$", "a stranger does not read who it is");
    }

    [Fact]
    public async Task Circuit_PoisonOfOneCaller_DoesNotOpenForAll()
    {
        await using var service = await TestService.StartAsync(
            app => app.MapGet("/", (HttpRequest request) => request.Headers["X-Fail"].Count > 0 ? Results.StatusCode(500) : Results.Ok()).WithCircuitBreaker("crowd"),
            $$"""{ "CircuitBreakers": { "crowd": { "ConsecutiveFailures": 3, "FailureRatio": null, "MinimumDistinctCallers": 3, "CallerBy": "Header:X-Tenant" } }, {{Trusted}} }""");
        for (var i = 0; i < 20; i++)
        {
            (await FailAsync(service, "poison")).ShouldBe(500);
        }

        (await service.StateOfAsync("crowd")).ShouldBe("CLOSED");
        for (var i = 0; i < 6 && await service.StateOfAsync("crowd") == "CLOSED"; i++)
        {
            (await FailAsync(service, i.ToString(CultureInfo.InvariantCulture))).ShouldBe(500);
        }

        (await service.StateOfAsync("crowd")).ShouldBe("OPEN");
    }

    [Fact]
    public async Task Header_OfAStranger_IsNotBelieved()
    {
        await using var service = await TestService.StartAsync(
            app => app.MapGet("/", () => Results.StatusCode(500)).WithCircuitBreaker("keyed"),
            """{ "CircuitBreakers": { "keyed": { "ConsecutiveFailures": 2, "PartitionBy": "Header:X-Tenant" } } }""");
        (await GetAsync(service, "/", "one")).StatusCode.ShouldBe(HttpStatusCode.InternalServerError);
        (await GetAsync(service, "/", "two")).StatusCode.ShouldBe(HttpStatusCode.InternalServerError);
        using var third = await GetAsync(service, "/", "three");
        await third.ShouldBeRefusalAsync(503, "circuit_open");
    }

    [Fact]
    public async Task Partition_ByCode_ThatThrowsOrHasNothingToSay_SharesOnePartition()
    {
        await using var service = await TestService.StartAsync(new TestServiceSetup
        {
            Configuration = """{ "CircuitBreakers": { "keyed": { "ConsecutiveFailures": 2 } } }""",
            Builder = builder => builder.Services.Configure<ResilienceOptions>(options => options.CircuitBreakers.Configure("keyed", keyed => keyed.PartitionKey =
                context => context.Request.Query["who"] is [{ } who] ? new string('x', 10_000) + who : throw new InvalidOperationException("No one."))),
            Endpoints = app => app.MapGet("/", (string? who) => who == "b" ? Results.Ok() : Results.StatusCode(500)).WithCircuitBreaker("keyed"),
        });
        (await service.StatusOfAsync("/")).ShouldBe(500);
        (await service.StatusOfAsync("/")).ShouldBe(500);
        (await service.StatusOfAsync("/")).ShouldBe(503);
        (await service.StatusOfAsync("/?who=a")).ShouldBe(500);
        (await service.StatusOfAsync("/?who=a")).ShouldBe(500);
        (await service.StatusOfAsync("/?who=a")).ShouldBe(503);
        (await service.StatusOfAsync("/?who=b")).ShouldBe(200);
    }

    private static async Task<int> FailAsync(TestService service, string tenant)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/");
        request.Headers.Add("X-Tenant", tenant);
        request.Headers.Add("X-Fail", "yes");
        using var response = await service.SendAsync(request);
        return (int)response.StatusCode;
    }
}
