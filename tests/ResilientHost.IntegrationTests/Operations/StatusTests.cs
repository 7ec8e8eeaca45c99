using System.Security.Claims;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;

namespace ResilientHost.IntegrationTests.Operations;

public sealed class StatusTests
{
    private sealed class HeaderScheme(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder)
        : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
    {
        protected override Task<AuthenticateResult> HandleAuthenticateAsync() => Task.FromResult(Request.Headers.Authorization == "ops"
            ? AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(new ClaimsIdentity("header")), "header"))
            : AuthenticateResult.NoResult());
    }

    [Theory, OverBothWires]
    public async Task Status_HasTheShapeOfTheContract(Wire wire)
    {
        var time = new ManualTimeProvider();
        await using var service = await TestService.StartAsync(
            app =>
            {
                app.MapGet("/throw", string () => throw new InvalidOperationException("status")).WithCircuitBreaker("orders").WithBulkhead("checkout");
                app.MapGet("/free", () => "free");
            },
            """
            { "CircuitBreakers": { "orders": { "ConsecutiveFailures": 1, "BreakDuration": "00:00:30", "BreakJitter": 0 } },
              "Bulkheads": { "checkout": { "MaxConcurrency": 7 } } }
            """,
            time);
        (await service.StatusOfAsync("/free")).ShouldBe(200);
        time.Advance(TimeSpan.FromSeconds(5));
        (await service.StatusOfAsync("/throw")).ShouldBe(500);

        using var response = await service.GetAsync("/resilience/status", wire);
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        response.Content.Headers.ContentType?.MediaType.ShouldBe("application/json");
        var status = JsonElement.Parse(await response.Content.ReadAsStringAsync());
        status.GetProperty("service").GetString().ShouldNotBeNullOrEmpty();
        status.GetProperty("instance").GetString().ShouldNotBeNullOrEmpty();
        status.GetProperty("startedAt").GetDateTimeOffset().ShouldBe(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero));

        foreach (var breaker in status.GetProperty("circuitBreakers").EnumerateArray())
        {
            breaker.EnumerateObject().Select(member => member.Name).ShouldBe(
                [
                    "name", "key", "state", "mode", "failureRatio", "slowCallRatio", "calls", "refused", "retryAfterSeconds", "since", "failures", "slowCalls", "wouldHaveRefused",
                    "callsPerSecond", "p50Seconds", "p90Seconds", "p99Seconds", "affectsReadiness",
                ],
                ignoreOrder: true);
        }

        foreach (var bulkhead in status.GetProperty("bulkheads").EnumerateArray())
        {
            bulkhead.EnumerateObject().Select(member => member.Name).ShouldBe(
                ["name", "limit", "inFlight", "queued", "refused", "adaptive", "maxLimit", "partitions"], ignoreOrder: true);
        }

        status.GetProperty("level").GetString().ShouldBe("normal");
        status.GetProperty("degradation").EnumerateObject().Select(member => member.Name).ShouldBe(
            ["since", "signalledLevel", "severity", "mode", "overridden", "overriddenUntil"], ignoreOrder: true);
        var signals = status.GetProperty("signals").EnumerateArray().ToList();
        signals.Select(signal => signal.GetProperty("name").GetString()).ShouldContain("cpu");
        foreach (var signal in signals)
        {
            signal.EnumerateObject().Select(member => member.Name).ShouldBe(["name", "value", "enter", "exit", "decides"], ignoreOrder: true);
            signal.GetProperty("enter").GetDouble().ShouldBeGreaterThan(signal.GetProperty("exit").GetDouble());
        }

        var orders = await service.BreakerAsync("orders");
        orders.GetProperty("state").ValueKind.ShouldBe(JsonValueKind.String);
        orders.GetProperty("retryAfterSeconds").GetDouble().ShouldBe(30);
        orders.GetProperty("since").GetDateTimeOffset().ShouldBe(new DateTimeOffset(2030, 1, 1, 0, 0, 5, TimeSpan.Zero));
        (await service.BulkheadAsync("checkout")).GetProperty("limit").GetInt32().ShouldBe(7);
        (await service.StateOfAsync("GET /free")).ShouldBe("CLOSED");
    }

    [Fact]
    public async Task Status_ListsNamedLayersBeforeTheirFirstCall()
    {
        await using var service = await TestService.StartAsync(
            _ => { },
            """{ "CircuitBreakers": { "orders": { } }, "Bulkheads": { "checkout": { } } }""");
        (await service.StateOfAsync("orders")).ShouldBe("CLOSED");
        (await service.InFlightAsync("checkout")).ShouldBe(0);
    }

    [Theory]
    [InlineData("Production")]
    [InlineData("Staging")]
    public async Task Status_OpenToAnyoneOutsideDevelopment_RefusesToStart(string environment)
    {
        var error = await TestService.FailToStartAsync(new TestServiceSetup
        {
            Environment = environment,
            MapsStatus = false,
            Endpoints = app => app.MapResilienceStatus("/ops"),
        });
        error.ShouldContain("MapResilienceStatus");
        error.ShouldContain("RequireAuthorization");
        error.ShouldContain("AllowAnonymous");
    }

    [Fact]
    public async Task Status_OpenToAnyoneInDevelopment_Starts()
    {
        await using var service = await TestService.StartAsync(new TestServiceSetup
        {
            Environment = Environments.Development,
            MapsStatus = false,
            Endpoints = app => app.MapResilienceStatus("/ops"),
        });
        (await service.StatusOfAsync("/ops/status")).ShouldBe(200);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Status_RequiresAuthorization_AnswersOnlyTheAuthorized(bool onGroup)
    {
        await using var service = await TestService.StartAsync(new TestServiceSetup
        {
            MapsStatus = false,
            Builder = builder =>
            {
                builder.Services.AddAuthentication("header").AddScheme<AuthenticationSchemeOptions, HeaderScheme>("header", null);
                builder.Services.AddAuthorization();
            },
            Endpoints = app => (onGroup
                ? app.MapGroup("").RequireAuthorization().MapResilienceStatus("/resilience")
                : app.MapResilienceStatus("/resilience").RequireAuthorization()).WithDisplayName("status"),
        });
        (await service.StatusOfAsync("/resilience/status")).ShouldBe(401);
        service.Client().DefaultRequestHeaders.TryAddWithoutValidation("Authorization", "ops");
        (await service.StatusOfAsync("/resilience/status")).ShouldBe(200);
    }
}
