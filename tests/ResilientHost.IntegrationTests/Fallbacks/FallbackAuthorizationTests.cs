using System.Security.Claims;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.Extensions.Options;

namespace ResilientHost.IntegrationTests.Fallbacks;

/// <summary>Nothing is served around authorization: every caller, endpoint, fallback and place of the authorization middleware.</summary>
public sealed class FallbackAuthorizationTests
{
    public enum Caller
    {
        Anonymous,
        User,
        Cookie,
    }

    public static TheoryData<Caller, bool, string, bool, string> Matrix()
    {
        var data = new TheoryData<Caller, bool, string, bool, string>();
        foreach (var caller in Enum.GetValues<Caller>())
        {
            foreach (var authorized in (bool[])[true, false])
            {
                foreach (var kind in (string[])["delegate", "stale"])
                {
                    foreach (var before in (bool[])[true, false])
                    {
                        foreach (var failure in (string[])["throws", "refused"])
                        {
                            data.Add(caller, authorized, kind, before, failure);
                        }
                    }
                }
            }
        }

        return data;
    }

    [Theory, MemberData(nameof(Matrix))]
    public async Task Fallback_IsServedToWhomTheEndpointWouldHaveBeen(Caller caller, bool authorized, string kind, bool authorizationBefore, string failure)
    {
        var broken = false;
        await using var service = await StartAsync(authorizationBefore, app =>
        {
            var endpoint = app.MapGet("/", () => broken ? throw new InvalidOperationException() : "real").WithCircuitBreaker("orders");
            _ = kind == "stale" ? endpoint.WithStaleFallback(TimeSpan.FromMinutes(10)) : endpoint.WithFallback(() => "spare");
            if (authorized)
            {
                endpoint.RequireAuthorization();
            }
        });

        // Whoever may see it has seen it, so that there is something stale.
        (await AskAsync(service, Caller.Anonymous)).Status.ShouldBe(authorized ? 401 : 200);
        (await AskAsync(service, Caller.User)).Status.ShouldBe(200);
        (await AskAsync(service, Caller.Cookie)).Status.ShouldBe(authorized ? 401 : 200);
        broken = true;
        if (failure == "refused")
        {
            service.Services.GetRequiredService<CircuitBreakerRegistry>().Get("orders").Isolate();
        }

        var answer = await AskAsync(service, caller);

        var isLetIn = !authorized || caller == Caller.User;
        var isServed = kind == "delegate"
            ? isLetIn && (!authorized || authorizationBefore || failure == "throws")

            // Where nobody has been asked who the caller is, everyone is anonymous: and so is what was kept.
            : !authorized && (caller == Caller.Anonymous || (caller == Caller.User && failure == "refused" && !authorizationBefore));
        if (isServed)
        {
            answer.ShouldBe((200, kind == "delegate" ? "spare" : "real", kind));
        }
        else
        {
            // Behind the layers authorization has not been asked when a layer refuses: the refusal tells nothing of the endpoint.
            answer.Status.ShouldBe(!isLetIn && (authorizationBefore || failure == "throws") ? 401 : failure == "refused" ? 503 : 500);
            answer.Fallback.ShouldBeNull();
            answer.Body.ShouldNotContain("real");
            answer.Body.ShouldNotContain("spare");
        }
    }

    [Theory]
    [InlineData("delegate")]
    [InlineData("stale")]
    public async Task Fallback_ApplicationsFallbackPolicy_IsAuthorizationToo(string kind)
    {
        var broken = false;
        await using var service = await StartAsync(authorizationBefore: false, app =>
        {
            var endpoint = app.MapGet("/", () => broken ? throw new InvalidOperationException() : "real").WithCircuitBreaker("orders");
            _ = kind == "stale" ? endpoint.WithStaleFallback(TimeSpan.FromMinutes(10)) : endpoint.WithFallback(() => "spare");
        }, options => options.FallbackPolicy = new AuthorizationPolicyBuilder().RequireAuthenticatedUser().Build());
        (await AskAsync(service, Caller.User)).Status.ShouldBe(200);
        broken = true;
        service.Services.GetRequiredService<CircuitBreakerRegistry>().Get("orders").Isolate();

        (await AskAsync(service, Caller.Anonymous)).ShouldBe((503, "", null), customMessage: "No fallback for whom the policy was never asked about.");
    }

    [Fact]
    public async Task Fallback_AuthorizationItselfFailsBehindTheLayers_IsNotServed()
    {
        await using var service = await StartAsync(authorizationBefore: false, app =>
            app.MapGet("/", () => "real").RequireAuthorization(policy => policy.RequireAssertion(bool (_) => throw new InvalidOperationException())).WithFallback(() => "spare"));

        var answer = await AskAsync(service, Caller.User);
        answer.Status.ShouldBe(500);
        answer.Fallback.ShouldBeNull();
    }

    private static Task<TestService> StartAsync(bool authorizationBefore, Action<WebApplication> endpoints, Action<AuthorizationOptions>? authorization = null) => TestService.StartAsync(new TestServiceSetup
    {
        Configuration = """{ "CircuitBreakers": { "orders": { "MinimumThroughput": 1000 } } }""",
        MapsStatus = false,
        UsesLayers = false,
        Builder = builder =>
        {
            builder.Services.AddAuthentication("header").AddScheme<AuthenticationSchemeOptions, HeaderAuthentication>("header", null);
            builder.Services.AddAuthorization(options => authorization?.Invoke(options));
        },
        Outside = app =>
        {
            app.UseRouting();
            if (authorizationBefore)
            {
                app.UseAuthentication().UseAuthorization();
                app.UseResilienceLayers();
            }
            else
            {
                app.UseResilienceLayers();
                app.UseAuthentication().UseAuthorization();
            }
        },
        Endpoints = endpoints,
    });

    private static async Task<(int Status, string Body, string? Fallback)> AskAsync(TestService service, Caller caller)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/");
        if (caller == Caller.User)
        {
            request.Headers.Add("X-User", "ada");
        }
        else if (caller == Caller.Cookie)
        {
            request.Headers.Add("Cookie", "session=1");
        }

        using var response = await service.SendAsync(request);
        var fallback = response.Headers.TryGetValues("Resilience-Fallback", out var values) ? values.Single() : null;
        var body = await response.Content.ReadAsStringAsync();
        return ((int)response.StatusCode, response.IsSuccessStatusCode ? body : "", fallback);
    }

    private sealed class HeaderAuthentication(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder)
        : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
    {
        protected override Task<AuthenticateResult> HandleAuthenticateAsync() => Task.FromResult(
            Request.Headers["X-User"].ToString() is { Length: > 0 } name
                ? AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(new ClaimsIdentity([new Claim(ClaimTypes.Name, name)], "header")), "header"))
                : AuthenticateResult.NoResult());
    }
}
