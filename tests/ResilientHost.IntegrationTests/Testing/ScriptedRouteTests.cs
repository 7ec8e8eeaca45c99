namespace ResilientHost.IntegrationTests.Testing;

public sealed class ScriptedRouteTests
{
    [Fact]
    public async Task Routes_ThatOverlap_TheMostLiteralThenTheMethodTakesTheRequest()
    {
        await using var upstream = await Upstream.StartAsync();
        var server = upstream.Server;
        server.On("*", "/{*rest}").Replies(ScriptedReply.Status(210));
        server.On("*", "/stock/{sku}").Replies(ScriptedReply.Status(211));
        server.On("get", "/stock/{sku}").Replies(ScriptedReply.Status(212));
        server.On("GET", "/stock/7").Replies(ScriptedReply.Status(213));
        server.Default.Replies(ScriptedReply.Status(214));

        (await upstream.StatusAsync("/stock/7")).ShouldBe(213);
        (await upstream.StatusAsync("/STOCK/7?fresh=1")).ShouldBe(213);
        (await upstream.StatusAsync("/stock/8")).ShouldBe(212);
        (await upstream.StatusAsync("/stock/8", "POST")).ShouldBe(211);
        (await upstream.StatusAsync("/a/b/c")).ShouldBe(210);
        (await upstream.StatusAsync("/")).ShouldBe(210);
        server.Default.RequestCount.ShouldBe(0);
    }

    [Fact]
    public async Task On_SameMethodAndPattern_IsTheSameRoute()
    {
        await using var server = await ScriptedServer.StartAsync();
        server.On("GET", "/a").ShouldBeSameAs(server.On("get", "/A"));
        server.On("GET", "/a").ToString().ShouldBe("GET /a");
        server.Default.ToString().ShouldBe("Default");
    }

    [Theory]
    [OverBothWires]
    public async Task Request_ThatNoScriptTakes_IsToldWhichRoutesThereAre(Wire wire)
    {
        await using var upstream = await Upstream.StartAsync(wire);
        upstream.Server.On("POST", "/orders").Replies(ScriptedReply.Status(201));
        upstream.Server.On("GET", "/stock/{sku}");

        using var response = await upstream.BeginAsync("/stock/7");

        response.StatusCode.ShouldBe(HttpStatusCode.NotImplemented);
        response.Headers.GetValues("Scripted-Server").ShouldBe(["unmatched"]);
        var text = await response.Content.ReadAsStringAsync();
        text.ShouldStartWith("ScriptedServer: No script takes GET /stock/7. Routes: ");
        text.ShouldContain("POST /orders");
        var request = upstream.Server.Requests.ShouldHaveSingleItem();
        request.IsScripted.ShouldBeFalse();
        request.Route.ShouldBeNull();
    }

    [Fact]
    public async Task RepliesOnce_Exhausted_SaysSoClearly()
    {
        await using var upstream = await Upstream.StartAsync();
        var route = upstream.Server.On("GET", "/a").RepliesOnce(ScriptedReply.Status(503), ScriptedReply.Status(200));

        (await upstream.StatusAsync("/a")).ShouldBe(503);
        (await upstream.StatusAsync("/a")).ShouldBe(200);
        using var response = await upstream.BeginAsync("/a");

        response.StatusCode.ShouldBe(HttpStatusCode.NotImplemented);
        response.Headers.GetValues("Scripted-Server").ShouldBe(["exhausted"]);
        (await response.Content.ReadAsStringAsync()).ShouldBe(
            "ScriptedServer: The script of GET /a is exhausted: all of its 2 replies were given. Add replies, or use Replies(…) to repeat the last one.\n");
        route.Requests.Select(request => request.IsScripted).ShouldBe([true, true, false]);
    }

    [Fact]
    public async Task Replies_SwitchedWhileARequestIsHeld_TakeOverForTheNextOnly()
    {
        await using var upstream = await Upstream.StartAsync();
        var route = upstream.Server.On("GET", "/a").Replies(ScriptedReply.Status(503).WhenReleased());
        var held = upstream.StatusAsync("/a");
        await route.WaitForRequestsAsync(1);

        route.RepliesInCycle(ScriptedReply.Status(201), ScriptedReply.Status(202));
        (await upstream.StatusAsync("/a")).ShouldBe(201);
        (await upstream.StatusAsync("/a")).ShouldBe(202);
        (await upstream.StatusAsync("/a")).ShouldBe(201);
        route.Release();

        (await held).ShouldBe(503);
    }

    [Fact]
    public async Task Replies_WithoutAStep_SayWhatToDo()
    {
        await using var server = await ScriptedServer.StartAsync();
        var route = server.On("GET", "/a");

        Should.Throw<ArgumentException>(() => route.Replies()).Message.ShouldStartWith("The script of GET /a has no reply: give at least one, such as ScriptedReply.Status(200).");
        Should.Throw<ArgumentException>(() => route.RepliesOnce()).ParamName.ShouldBe("replies");
        Should.Throw<ArgumentException>(() => route.RepliesInCycle(ScriptedReply.Status(200), null!)).Message.ShouldContain("null");
        Should.Throw<ArgumentException>(() => server.On("GET", "no-slash"));
    }

    [Fact]
    public async Task Reset_OfAServer_ForgetsScriptsAndRequests()
    {
        await using var upstream = await Upstream.StartAsync();
        var route = upstream.Server.On("GET", "/a").Replies(ScriptedReply.Status(200));
        upstream.Server.Default.Replies(ScriptedReply.Status(404));
        await upstream.StatusAsync("/a");

        upstream.Server.Reset();

        upstream.Server.Requests.ShouldBeEmpty();
        upstream.Server.RequestCount.ShouldBe(0);
        route.RequestCount.ShouldBe(0);
        (await upstream.StatusAsync("/a")).ShouldBe(501);
        route.Replies(ScriptedReply.Status(202));
        (await upstream.StatusAsync("/a")).ShouldBe(202);
        (await upstream.StatusAsync("/b")).ShouldBe(501);
    }
}
