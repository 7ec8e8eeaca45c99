using System.Security.Claims;
using System.Text;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;

namespace ResilientHost.IntegrationTests.Contract;

/// <summary>Who may set the level: environment × policy × user, and what is kept of it. Written from the contract alone.</summary>
public sealed class LevelOperationContractTests
{
    private static TestServiceSetup Setup(string environment, string guard, bool hasFallbackPolicy = false) => new()
    {
        Environment = environment,
        Configuration = Levels.ByHand,
        Builder = builder =>
        {
            builder.Services.AddAuthentication("test").AddScheme<AuthenticationSchemeOptions, UserScheme>("test", null);
            builder.Services.AddAuthorization(options =>
            {
                options.AddPolicy("on-call", policy => policy.RequireClaim("on-call"));
                options.FallbackPolicy = hasFallbackPolicy ? options.DefaultPolicy : null;
            });
        },
        Endpoints = app =>
        {
            var operations = app.MapResilienceOperations();
            _ = guard switch
            {
                "on-call" => operations.RequireAuthorization("on-call"),
                "any" => operations.RequireAuthorization(),
                "anonymous" => operations.AllowAnonymous(),
                _ => operations,
            };
        },
    };

    private static async Task<HttpResponseMessage> PostAsync(TestService service, string body, string? user, Wire wire = Wire.Http1)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/resilience/level") { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        if (user is not null)
        {
            request.Headers.TryAddWithoutValidation("X-User", user);
        }

        return await service.SendAsync(request, wire);
    }

    [Theory]
    [InlineData("Production", "on-call", null, 401)]
    [InlineData("Production", "on-call", "guest", 403)]
    [InlineData("Production", "on-call", "eve", 200)]
    [InlineData("Production", "any", null, 401)]
    [InlineData("Production", "any", "guest", 200)]
    [InlineData("Staging", "on-call", null, 401)]
    [InlineData("Staging", "on-call", "eve", 200)]
    [InlineData("Development", "on-call", null, 401)]
    [InlineData("Development", "on-call", "guest", 403)]
    [InlineData("Development", "on-call", "eve", 200)]
    [InlineData("Development", "none", null, 200)]
    [InlineData("Development", "anonymous", null, 200)]
    public async Task Post_EnvironmentPolicyUser(string environment, string guard, string? user, int expected)
    {
        await using var service = await TestService.StartAsync(Setup(environment, guard));
        foreach (var wire in Enum.GetValues<Wire>())
        {
            using var response = await PostAsync(service, """{ "level": "reduced" }""", user, wire);
            ((int)response.StatusCode).ShouldBe(expected);
        }

        service.Level().Current.ShouldBe(expected == 200 ? ServiceLevel.Reduced : ServiceLevel.Normal);
    }

    [Theory]
    [InlineData("Production", "none")]
    [InlineData("Production", "anonymous")]
    [InlineData("Staging", "none")]
    [InlineData("Staging", "anonymous")]
    public async Task Start_UnguardedOutsideDevelopment_IsRefused(string environment, string guard) =>
        (await TestService.FailToStartAsync(Setup(environment, guard))).ShouldContain("MapResilienceOperations");

    [Fact]
    public async Task OtherMethods_ChangeNothing()
    {
        await using var service = await TestService.StartAsync(Setup("Production", "on-call"));
        foreach (var method in new[] { "GET", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS" })
        {
            using var request = new HttpRequestMessage(new HttpMethod(method), "/resilience/level");
            request.Headers.Add("X-User", "eve");
            (await service.StatusAsync(request)).ShouldBe(405);
        }

        service.Level().Snapshot().IsOverridden.ShouldBeFalse();
    }

    [Theory]
    [InlineData("""{ "level": "ESSENTIAL" }""")]
    [InlineData("""{ "level": "Essential", "expiresIn": null }""")]
    [InlineData("""{ "level": "essential", "expiresIn": "1.00:00:00" }""")]
    [InlineData("""{ "level": "essential", "instance": null }""")]
    public async Task Post_Variants_AreTaken(string body)
    {
        await using var service = await TestService.StartAsync(Setup("Production", "on-call"));
        using var response = await PostAsync(service, body, "eve");
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        service.Level().Current.ShouldBe(ServiceLevel.Essential);
        service.Level().Snapshot().OverriddenUntil.ShouldNotBeNull("an override over HTTP never holds for ever");
    }

    [Theory]
    [InlineData("""{ "level": "essential", "level": "normal" }""")]
    [InlineData("""{ "level": "essential,reduced" }""")]
    [InlineData("""{ "level": "" }""")]
    [InlineData("""{ "level": "1" }""")]
    [InlineData("""{ "level": true }""")]
    [InlineData("""{ "level": "essential", "expiresIn": 30 }""")]
    [InlineData("""{ "level": "essential", "expiresIn": "-00:01:00" }""")]
    [InlineData("""{ "level": "essential", "expiresIn": "1.00:00:00.0000001" }""")]
    [InlineData("""{ "level": "essential", "expiresIn": "99999999999999999999" }""")]
    [InlineData("""{ "level": "essential" } {}""")]
    [InlineData("null")]
    [InlineData("""{ "level": "\ud800" }""")]
    [InlineData("""{ "level": "essential", "expiresIn": "\ud800" }""")]
    [InlineData("""{ "level": "essential", "instance": "\udc00" }""")]
    public async Task Post_Wrong_Is400AndChangesNothing(string body)
    {
        await using var service = await TestService.StartAsync(Setup("Production", "on-call"));
        using var response = await PostAsync(service, body, "eve");
        ((int)response.StatusCode).ShouldBe(400, await response.Content.ReadAsStringAsync());
        service.Level().Snapshot().IsOverridden.ShouldBeFalse();
        service.ShouldHaveLoggedNoError();
    }

    [Theory]
    [InlineData("application/json; charset=no-such-charset")]
    [InlineData("application/json; charset=utf-7")]
    public async Task Post_UnknownCharset_Is415AndNoError(string contentType)
    {
        await using var service = await TestService.StartAsync(Setup("Production", "on-call"));
        using var request = new HttpRequestMessage(HttpMethod.Post, "/resilience/level") { Content = new ByteArrayContent("""{ "level": "reduced" }"""u8.ToArray()) };
        request.Content.Headers.TryAddWithoutValidation("Content-Type", contentType);
        request.Headers.Add("X-User", "eve");
        (await service.StatusAsync(request)).ShouldBe(415);
        service.Level().Snapshot().IsOverridden.ShouldBeFalse();
        service.ShouldHaveLoggedNoError();
    }

    [Fact]
    public async Task Post_DeepOrLongJson_IsRefusedCheaply()
    {
        await using var service = await TestService.StartAsync(Setup("Production", "on-call"));
        using var deep = await PostAsync(service, new string('[', 2000), "eve");
        ((int)deep.StatusCode).ShouldBe(400);
        using var large = await PostAsync(service, $$"""{ "level": "{{new string('x', 500_000)}}" }""", "eve");
        ((int)large.StatusCode).ShouldBeOneOf(400, 413);
        service.Level().Snapshot().IsOverridden.ShouldBeFalse();
    }

    [Fact]
    public async Task Post_IsLoggedWithWhoAndWhat()
    {
        await using var service = await TestService.StartAsync(Setup("Production", "on-call"));
        using (await PostAsync(service, """{ "level": "survival", "expiresIn": "00:10:00" }""", "eve"))
        {
        }

        await service.Logs.WaitForAsync(
            entry => entry.EventId.Id is >= 1400 and < 1500
                && entry.Message.Contains("eve", StringComparison.Ordinal) && entry.Message.Contains("Survival", StringComparison.OrdinalIgnoreCase),
            TestService.Patience);
    }

    [Fact]
    public async Task Override_OfALineBreakingName_ForgesNoLogLine()
    {
        await using var service = await TestService.StartAsync(Setup("Production", "on-call"));
        service.Level().Override(ServiceLevel.Reduced, TimeSpan.FromMinutes(1), "eve\r\nadmin cleared the override" + new string('x', 500));
        service.Level().ClearOverride("eve\nroot");
        await service.Logs.WaitUntilAsync(logs => logs.Count(entry => entry.EventId.Id is >= 1400 and < 1500) >= 2, TestService.Patience);
        var entries = service.Logs.Entries.Where(entry => entry.EventId.Id is >= 1400 and < 1500).ToList();
        entries.ShouldAllBe(entry => !entry.Message.Contains('\n') && !entry.Message.Contains('\r') && !entry.Message.Contains(new string('x', 200)));
    }

    [Fact]
    public async Task Override_Expiry_IsExact_AndStatusTellsIt()
    {
        var time = new ManualTimeProvider();
        await using var service = await TestService.StartAsync(app => app.MapGet("/", () => "ok").WithCriticality(Criticality.Sheddable), Levels.ByHand, time);
        service.Level().Override(ServiceLevel.Essential, TimeSpan.FromMinutes(5));
        var waiting = service.Level().WaitUntilAtMostAsync(ServiceLevel.Normal).AsTask();
        var degradation = (await service.StatusAsync()).GetProperty("degradation");
        degradation.GetProperty("overriddenUntil").GetDateTimeOffset().ShouldBe(time.GetUtcNow().AddMinutes(5));
        time.Advance(TimeSpan.FromMinutes(5) - TimeSpan.FromTicks(1));
        service.Level().Current.ShouldBe(ServiceLevel.Essential);
        waiting.IsCompleted.ShouldBeFalse();
        time.Advance(TimeSpan.FromTicks(1));
        service.Level().Current.ShouldBe(ServiceLevel.Normal);
        await waiting.WaitAsync(TestService.Patience);
        (await service.StatusAsync()).GetProperty("degradation").GetProperty("overridden").GetBoolean().ShouldBeFalse();
    }

    [Fact]
    public async Task Override_ReplacedByALonger_IsNotEndedByTheFirstTimer()
    {
        var time = new ManualTimeProvider();
        await using var service = await TestService.StartAsync(_ => { }, Levels.ByHand, time);
        service.Level().Override(ServiceLevel.Survival, TimeSpan.FromMinutes(1));
        service.Level().Override(ServiceLevel.Reduced, TimeSpan.FromMinutes(10));
        time.Advance(TimeSpan.FromMinutes(2));
        service.Level().Current.ShouldBe(ServiceLevel.Reduced);
        service.Level().Override(ServiceLevel.Essential);
        time.Advance(TimeSpan.FromHours(2));
        service.Level().Current.ShouldBe(ServiceLevel.Essential);
        Should.Throw<ArgumentOutOfRangeException>(() => service.Level().Override((ServiceLevel)4));
        Should.Throw<ArgumentOutOfRangeException>(() => service.Level().Override(ServiceLevel.Normal, TimeSpan.Zero));
        service.Level().Override(ServiceLevel.Reduced, TimeSpan.MaxValue);
        service.Level().Current.ShouldBe(ServiceLevel.Reduced);
    }

    [Fact]
    public async Task Changed_ListenersThatThrowOrBlock_StopNobody()
    {
        await using var service = await TestService.StartAsync(app => app.MapGet("/", () => "ok"), Levels.ByHand);
        using var release = new ManualResetEventSlim();
        var seen = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        service.Level().Changed += _ => throw new InvalidOperationException("listener");
        service.Level().Changed += _ => release.Wait();
        service.Level().Changed += change => { if (change.To == ServiceLevel.Survival) { seen.TrySetResult(); } };
        for (var i = 0; i < 500; i++)
        {
            service.Level().Override(i % 2 == 0 ? ServiceLevel.Reduced : ServiceLevel.Essential);
        }

        service.Level().Override(ServiceLevel.Survival);
        service.Level().ClearOverride();
        (await service.StatusOfAsync("/")).ShouldBe(200);
        await seen.Task.WaitAsync(TestService.Patience);
        release.Set();
    }

    private sealed class UserScheme(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder)
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
