using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Primitives;
using ResilientHost.Pipeline;

namespace ResilientHost.Tests.Pipeline;

/// <summary>How often endpoints are built, and that routing goes on finding all of them.</summary>
public sealed class EndpointSourcesTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Start_EndpointsCheckedAndRouted_AreBuiltOnce(bool callsUseRouting)
    {
        var built = 0;
        await using var app = App();
        if (callsUseRouting)
        {
            app.UseRouting();
        }

        app.UseResilienceLayers();
        app.MapGet("/", () => "hello").Add(_ => built++);

        (await AskAsync(app, "/")).ShouldBe(HttpStatusCode.OK);

        built.ShouldBe(1);
        app.Services.GetRequiredService<CircuitBreakerRegistry>().Names.ShouldBeEmpty();
        app.Services.GetEndpoints().ShouldHaveSingleItem();
    }

    [Fact]
    public async Task Start_BranchWithRoutingOfItsOwn_BothAnswer()
    {
        await using var app = App();
        app.UseResilienceLayers();
        app.Map("/admin", branch => branch.UseRouting().UseResilienceLayers().UseEndpoints(static routes => routes.MapGet("/users", () => "users")));
        app.MapGet("/", () => "hello");

        (await AskAsync(app, "/admin/users")).ShouldBe(HttpStatusCode.OK);
        (await AskAsync(app, "/", starts: false)).ShouldBe(HttpStatusCode.OK);
        (await AskAsync(app, "/users", starts: false)).ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Change_SourceGainsAnEndpoint_RoutingAndLayersSeeIt()
    {
        await using var app = App();
        app.UseResilienceLayers();
        GrowingSource source = new();
        ((IEndpointRouteBuilder)app).DataSources.Add(source);
        app.MapGet("/", () => "hello");
        (await AskAsync(app, "/late")).ShouldBe(HttpStatusCode.NotFound);

        source.Add("/late");

        (await AskAsync(app, "/late", starts: false)).ShouldBe(HttpStatusCode.OK);
        app.Services.GetRequiredService<EndpointSources>().Keys.Values.ShouldBe(["GET /", "/late"], ignoreOrder: true);
    }

    private static WebApplication App()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseTestServer();
        builder.AddResilienceLayers();
        return builder.Build();
    }

    private static async Task<HttpStatusCode> AskAsync(WebApplication app, string path, bool starts = true)
    {
        if (starts)
        {
            await app.StartAsync(TestContext.Current.CancellationToken);
        }

        using var client = app.GetTestClient();
        using var answer = await client.GetAsync(new Uri(path, UriKind.Relative), TestContext.Current.CancellationToken);
        return answer.StatusCode;
    }

    private sealed class GrowingSource : EndpointDataSource
    {
        private readonly List<Endpoint> _endpoints = [];
        private CancellationTokenSource _changed = new();

        public override IReadOnlyList<Endpoint> Endpoints => [.. _endpoints];

        public override IChangeToken GetChangeToken() => new CancellationChangeToken(_changed.Token);

        public void Add(string pattern)
        {
            _endpoints.Add(new RouteEndpoint(static context => context.Response.WriteAsync("late"), RoutePatternFactory.Parse(pattern), 0, new EndpointMetadataCollection("late"), pattern));
            var changed = _changed;
            _changed = new CancellationTokenSource();
            changed.Cancel();
        }
    }
}
