using Microsoft.AspNetCore.Mvc;

namespace ResilientHost.IntegrationTests.Layers;

/// <summary>"shut" refuses all calls and "own" none, so the answer tells which of them an endpoint got.</summary>
public sealed class EndpointMetadataTests
{
    private const string Configuration = """
        { "CircuitBreakers": { "shut": { "Mode": "ForcedOpen" }, "own": { } }, "Bulkheads": { "general": { }, "mine": { } } }
        """;

    private static TestServiceSetup Controllers(Action<ControllerActionEndpointConventionBuilder>? conventions = null) => new()
    {
        Configuration = Configuration,
        Builder = builder => builder.Services.AddControllers().AddApplicationPart(typeof(PlainController).Assembly),
        Endpoints = app => conventions?.Invoke(app.MapControllers()),
    };

    [Fact]
    public async Task Group_LayersReachItsEndpoints_AndTheirOwnBeatThem()
    {
        await using var service = await TestService.StartAsync(
            app =>
            {
                var group = app.MapGroup("/group").WithCircuitBreaker("shut");
                group.MapGet("/inherits", () => "fine");
                group.MapGet("/with", () => "fine").WithCircuitBreaker("own");
                group.MapGet("/attribute", [CircuitBreaker("own")] () => "fine");
                group.MapGet("/other-layer", () => "fine").WithBulkhead("mine");
                group.MapGroup("/inner").WithCircuitBreaker("own").MapGet("/", () => "fine");
            },
            Configuration);
        (await service.StatusOfAsync("/group/inherits")).ShouldBe(503);
        (await service.StatusOfAsync("/group/with")).ShouldBe(200);
        (await service.StatusOfAsync("/group/attribute")).ShouldBe(200);
        (await service.StatusOfAsync("/group/other-layer")).ShouldBe(503);
        (await service.StatusOfAsync("/group/inner")).ShouldBe(200);
    }

    [Fact]
    public async Task DisableResilience_TakesAllLayersButRecovery()
    {
        await using var service = await TestService.StartAsync(
            app =>
            {
                var group = app.MapGroup("/group").WithCircuitBreaker("shut").WithBulkhead("general");
                group.MapGet("/with", () => "fine").DisableResilience();
                group.MapGet("/attribute", [DisableResilience] () => "fine");
                group.MapGet("/throws", string () => throw new InvalidOperationException("disabled")).DisableResilience();
                app.MapGroup("/off").DisableResilience().MapGet("/named", () => "never").WithCircuitBreaker("shut");
            },
            Configuration);
        (await service.StatusOfAsync("/group/with")).ShouldBe(200);
        (await service.StatusOfAsync("/group/attribute")).ShouldBe(200);
        (await service.StatusOfAsync("/off/named")).ShouldBe(503);
        using var thrown = await service.GetAsync("/group/throws");
        await thrown.ShouldBeProblemAsync(500, "unhandled_exception");

        var status = await service.StatusAsync();
        status.GetProperty("circuitBreakers").EnumerateArray().ShouldNotContain(breaker => breaker.GetProperty("name").GetString()!.Contains("/group"));
        (await service.BreakerAsync("shut")).GetProperty("refused").GetInt64().ShouldBe(1);
    }

    [Fact]
    public async Task Controllers_AttributeOfTheActionBeatsTheClassBeatsMapControllers()
    {
        await using var service = await TestService.StartAsync(Controllers(controllers => controllers.WithCircuitBreaker("shut")));
        (await service.StatusOfAsync("/plain")).ShouldBe(503);
        (await service.StatusOfAsync("/guarded")).ShouldBe(200);
        (await service.StatusOfAsync("/guarded/shut")).ShouldBe(503);
        (await service.StatusOfAsync("/guarded/off")).ShouldBe(200);
    }

    [Fact]
    public async Task Controllers_DisabledByMapControllers_KeepTheirOwnAttributes()
    {
        await using var service = await TestService.StartAsync(Controllers(controllers => controllers.DisableResilience()));
        (await service.StatusOfAsync("/plain")).ShouldBe(200);
        (await service.StatusOfAsync("/guarded/shut")).ShouldBe(503);
    }

    [Theory, OverBothWires]
    public async Task Controllers_ActionThrows_AnswersProblem(Wire wire)
    {
        await using var service = await TestService.StartAsync(Controllers(_ => { }));
        using var response = await service.GetAsync("/plain/throw", wire);
        await response.ShouldBeProblemAsync(500, "unhandled_exception");
    }

    [Fact]
    public async Task Endpoints_OfOneKey_HaveTheirOwnBreakers()
    {
        await using var service = await TestService.StartAsync(app =>
        {
            app.MapGet("/twin", () => "one").RequireHost("one.test");
            app.MapGet("/twin", () => "two").RequireHost("two.test");
            app.MapPost("/twin", () => "post");
            app.MapGet("/named", () => "named").WithName("catalog");
        });
        foreach (var host in (string[])["one.test", "two.test"])
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/twin");
            request.Headers.Host = host;
            using var response = await service.SendAsync(request);
            response.StatusCode.ShouldBe(HttpStatusCode.OK);
        }

        (await service.Client().PostAsync("/twin", null)).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await service.StatusOfAsync("/named")).ShouldBe(200);
        var names = (await service.StatusAsync()).GetProperty("circuitBreakers").EnumerateArray().Select(breaker => breaker.GetProperty("name").GetString()!).ToArray();
        names.Count(name => name.Contains("/twin")).ShouldBe(3, string.Join(" | ", names));
        names.ShouldContain(name => name.Contains("one.test"));
        names.ShouldContain("catalog");
        names.ShouldBeUnique();
    }
}

[ApiController, Route("plain")]
public sealed class PlainController : ControllerBase
{
    [HttpGet]
    public string Get() => "fine";

    [HttpGet("throw")]
    public string Throw() => throw new InvalidOperationException("controller");
}

[ApiController, Route("guarded"), CircuitBreaker("own")]
public sealed class GuardedController : ControllerBase
{
    [HttpGet]
    public string Get() => "fine";

    [HttpGet("shut"), CircuitBreaker("shut")]
    public string Shut() => "never";

    [HttpGet("off"), DisableResilience]
    public string Off() => "fine";
}
