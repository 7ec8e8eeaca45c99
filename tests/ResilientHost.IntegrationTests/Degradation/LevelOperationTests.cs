using System.Security.Claims;
using System.Text;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;

namespace ResilientHost.IntegrationTests.Degradation;

public sealed class LevelOperationTests
{
    private static TestServiceSetup Setup(string environment = "Production", Action<IEndpointConventionBuilder>? guard = null) => new()
    {
        Environment = environment,
        Configuration = """{ "Degradation": { "Mode": "Shadow" } }""",
        Builder = builder =>
        {
            builder.Services.AddAuthentication("test").AddScheme<AuthenticationSchemeOptions, TestScheme>("test", null);
            builder.Services.AddAuthorization(options => options.AddPolicy("on-call", policy => policy.RequireClaim("on-call")));
        },
        Endpoints = app =>
        {
            app.MapGet("/", () => "home").WithCriticality(Criticality.Sheddable);
            (guard ?? (operations => operations.RequireAuthorization("on-call")))(app.MapResilienceOperations());
        },
    };

    private static async Task<(int Status, string Body)> PostAsync(TestService service, string body, string? user = "eve", string contentType = "application/json")
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/resilience/level") { Content = new StringContent(body, Encoding.UTF8) };
        request.Content.Headers.Remove("Content-Type");
        request.Content.Headers.TryAddWithoutValidation("Content-Type", contentType);
        if (user is not null)
        {
            request.Headers.Add("X-User", user);
        }

        using var response = await service.SendAsync(request);
        return ((int)response.StatusCode, await response.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Post_Level_HoldsIt_AndNullGivesItBack()
    {
        await using var service = await TestService.StartAsync(Setup());
        var (status, body) = await PostAsync(service, """{ "level": "essential", "expiresIn": "00:30:00" }""");
        status.ShouldBe(200, body);
        var answer = JsonElement.Parse(body);
        answer.GetProperty("level").GetString().ShouldBe("essential");
        answer.GetProperty("overridden").GetBoolean().ShouldBeTrue();
        answer.GetProperty("overriddenUntil").GetDateTimeOffset().ShouldBe(DateTimeOffset.UtcNow.AddMinutes(30), TimeSpan.FromMinutes(1));
        (await service.StatusAsync()).GetProperty("level").GetString().ShouldBe("essential");
        await service.Logs.WaitForAsync(entry => entry.Message.Contains("eve", StringComparison.Ordinal) && entry.Message.Contains("Essential", StringComparison.Ordinal), TestService.Patience);

        (await PostAsync(service, """{ "level": null }""")).Status.ShouldBe(200);
        (await service.StatusAsync()).GetProperty("level").GetString().ShouldBe("normal");
    }

    [Theory]
    [InlineData("", 400)]
    [InlineData("nonsense", 400)]
    [InlineData("[]", 400)]
    [InlineData("{}", 400)]
    [InlineData("""{ "level": "panic" }""", 400)]
    [InlineData("""{ "level": 2 }""", 400)]
    [InlineData("""{ "level": "reduced", "expiresIn": "30" }""", 400)]
    [InlineData("""{ "level": "reduced", "expiresIn": "00:00:00" }""", 400)]
    [InlineData("""{ "level": "reduced", "expiresIn": "2.00:00:00" }""", 400)]
    [InlineData("""{ "level": "reduced", "expires": "00:10:00" }""", 400)]
    [InlineData("""{ "level": "reduced", "instance": "another" }""", 409)]
    public async Task Post_BadInput_ChangesNothing(string body, int expected)
    {
        await using var service = await TestService.StartAsync(Setup());
        var (status, answer) = await PostAsync(service, body);
        status.ShouldBe(expected, answer);
        (await service.StatusAsync()).GetProperty("degradation").GetProperty("overridden").GetBoolean().ShouldBeFalse();
    }

    [Fact]
    public async Task Post_WithoutThePolicyOrJson_IsTurnedAway()
    {
        await using var service = await TestService.StartAsync(Setup());
        (await PostAsync(service, """{ "level": "survival" }""", user: null)).Status.ShouldBe(401);
        (await PostAsync(service, """{ "level": "survival" }""", user: "guest")).Status.ShouldBe(403);
        (await PostAsync(service, """{ "level": "survival" }""", contentType: "text/plain")).Status.ShouldBe(415);
        (await PostAsync(service, """{ "level": "survival" }""", contentType: "application/json; charset=klingon")).Status.ShouldBe(415);
        (await PostAsync(service, new string(' ', 100_000))).Status.ShouldBeOneOf(400, 413);
        (await service.StatusAsync()).GetProperty("level").GetString().ShouldBe("normal");
    }

    [Fact]
    public async Task Start_OperationsWithoutPolicyOrAnonymous_IsRefusedOutsideDevelopment()
    {
        (await TestService.FailToStartAsync(Setup(guard: _ => { }))).ShouldContain("MapResilienceOperations(\"/resilience\")");
        (await TestService.FailToStartAsync(Setup(guard: operations => operations.AllowAnonymous()))).ShouldContain("in place of .AllowAnonymous()");
        await using var development = await TestService.StartAsync(Setup("Development", _ => { }));
        (await PostAsync(development, """{ "level": "reduced" }""", user: null)).Status.ShouldBe(200);
    }

    private sealed class TestScheme(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder)
        : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
    {
        protected override Task<AuthenticateResult> HandleAuthenticateAsync()
        {
            if (Request.Headers["X-User"] is not [{ Length: > 0 } user])
            {
                return Task.FromResult(AuthenticateResult.NoResult());
            }

            Claim[] claims = user == "guest" ? [new(ClaimTypes.Name, user)] : [new(ClaimTypes.Name, user), new("on-call", "yes")];
            return Task.FromResult(AuthenticateResult.Success(new(new ClaimsPrincipal(new ClaimsIdentity(claims, Scheme.Name)), Scheme.Name)));
        }
    }
}
