using System.Text;

namespace ResilientHost.IntegrationTests.Operations;

/// <summary>Whose endpoint answers where several could.</summary>
public sealed class DashboardRoutingTests
{
    private static readonly string[] Reading = ["", "/", "/dashboard.js", "/status", "/history", "/configuration", "/openapi.json", "/events"];

    [Theory]
    [InlineData("fallback", "")]
    [InlineData("get", "")]
    [InlineData("any", "")]
    [InlineData("segment", "")]
    [InlineData("any", "/inner")]
    [InlineData("segment", "/inner")]
    public async Task Dashboard_BesideACatchAll_Answers(string kind, string group)
    {
        await using var service = await TestService.StartAsync(OperationsService.Setup(
            app =>
            {
                switch (kind)
                {
                    case "fallback":
                        app.MapFallback(() => "the application");
                        break;
                    case "get":
                        app.MapGet("/{**path}", () => "the application");
                        break;
                    case "any":
                        app.Map("/{**path}", () => "the application");
                        break;
                    default:
                        app.Map("/{name}/{page?}", () => "the application");
                        app.Map("/{group}/{name}/{page?}", () => "the application");
                        break;
                }

                IEndpointRouteBuilder routes = group.Length == 0 ? app : app.MapGroup(group);
                routes.MapResilienceDashboard();
            },
            "Development"));
        foreach (var path in Reading)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, $"{group}/resilience{path}");
            using var response = await service.SendAsync(request, completion: HttpCompletionOption.ResponseHeadersRead);
            response.Headers.CacheControl.ShouldNotBeNull($"{path} is the application's: {response.StatusCode}");
        }

        (await service.PostAsync($"{group}/resilience/level", """{ "level": null }""", user: null)).Body.ShouldContain("signalledLevel");
        using var other = await service.GetAsync($"{group}/elsewhere");
        (await other.Content.ReadAsStringAsync()).ShouldBe("the application");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task WhatTheApplicationMapsItself_BeatsWhatTheDashboardMapsAlong(bool before)
    {
        await using var service = await TestService.StartAsync(OperationsService.Setup(
            app =>
            {
                if (before)
                {
                    MapOwn(app);
                }

                app.Map("/{**path}", () => "the application");
                app.MapResilienceDashboard();
                if (!before)
                {
                    MapOwn(app);
                }
            },
            "Development"));
        (await ReadAsync("status")).ShouldBe("own status");
        (await ReadAsync("history")).ShouldBe("own history");
        (await ReadAsync("configuration")).ShouldContain("entries");
        (await service.PostAsync("/resilience/level", """{ "level": null }""", "guest")).Status.ShouldBe(403);
        (await service.PostAsync("/resilience/level", """{ "level": null }""", "eve")).Status.ShouldBe(200);

        async Task<string> ReadAsync(string path)
        {
            using var response = await service.GetAsync($"/resilience/{path}");
            return Encoding.UTF8.GetString(await response.Content.ReadAsByteArrayAsync());
        }

        static void MapOwn(WebApplication app)
        {
            app.MapGet("/resilience/status", () => "own status");
            app.Map("/resilience/history", () => "own history");
            app.MapResilienceOperations().RequireAuthorization(OperationsService.Policy);
        }
    }

    [Theory]
    [InlineData("/resilience", "/resilience")]
    [InlineData("/ops", "/ops")]
    [InlineData("/resilience-eu", "/resilience")]
    public async Task Page_InAGroup_OffersTheOperationsBesideIt(string group, string path)
    {
        await using var service = await TestService.StartAsync(OperationsService.Setup(app =>
        {
            // Another dashboard, which this user may not operate.
            app.MapResilienceDashboard(path).AllowAnonymous();
            app.MapResilienceOperations(path).RequireAuthorization(OperationsService.Policy);
            var inner = app.MapGroup(group);
            inner.MapResilienceDashboard(path).AllowAnonymous();
            inner.MapResilienceOperations(path).RequireAuthorization();
        }));
        (await MayOperateAsync($"{group}{path}", "guest")).ShouldBeTrue();
        (await MayOperateAsync(path, "guest")).ShouldBeFalse();
        (await MayOperateAsync(path, "eve")).ShouldBeTrue();

        async Task<bool> MayOperateAsync(string page, string user)
        {
            using var request = OperationsService.Request(HttpMethod.Get, page, user);
            using var response = await service.SendAsync(request);
            var html = await response.Content.ReadAsStringAsync();
            return html.Contains("<body data-operate ", StringComparison.Ordinal);
        }
    }
}
