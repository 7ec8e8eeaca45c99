using System.Diagnostics;
using System.Text;

namespace ResilientHost.IntegrationTests.Testing;

public sealed class ScriptedRecordingTests
{
    [Theory]
    [OverBothWires]
    public async Task Request_WithBody_IsRecordedWhole(Wire wire)
    {
        await using var upstream = await Upstream.StartAsync(wire);
        var route = upstream.Server.On("POST", "/orders/{id}").Replies(ScriptedReply.Status(201));

        using var content = new StringContent("""{"sku":"ä"}""", Encoding.UTF8, "application/json");
        content.Headers.Add("X-Trace", ["1", "2"]);
        using var response = await upstream.Client.PostAsync("/orders/a%20b?x=%20y", content);

        var request = route.Requests.ShouldHaveSingleItem();
        request.ToString().ShouldBe("POST /orders/a b?x=%20y");
        request.BodyText.ShouldBe("""{"sku":"ä"}""");
        request.BodyLength.ShouldBe(12);
        request.Headers["content-TYPE"].ToString().ShouldStartWith("application/json");
        request.Headers["x-trace"].ToString().Replace(" ", "", StringComparison.Ordinal).ShouldBe("1,2");
        request.Protocol.ShouldBe(wire == Wire.Http1 ? "HTTP/1.1" : "HTTP/2");
        request.Route.ShouldBeSameAs(route);
        request.IsScripted.ShouldBeTrue();
    }

    [Theory]
    [OverBothWires]
    public async Task Body_OverTheCap_IsReadToItsEndAndKeptUpToIt(Wire wire)
    {
        await using var upstream = await Upstream.StartAsync(new ScriptedServerOptions
        {
            MaxRecordedBodyBytes = 10,
            Protocols = wire == Wire.Http1 ? Microsoft.AspNetCore.Server.Kestrel.Core.HttpProtocols.Http1 : Microsoft.AspNetCore.Server.Kestrel.Core.HttpProtocols.Http2,
        });
        upstream.Server.Default.Replies(ScriptedReply.Status(200));

        using var content = new ByteArrayContent(new byte[40_000_000]);
        using var response = await upstream.Client.PostAsync("/", content);

        upstream.Server.Requests[0].BodyLength.ShouldBe(40_000_000);
        upstream.Server.Requests[0].Body.Length.ShouldBe(10);
    }

    [Fact]
    public async Task Requests_OverTheCapacity_GiveWayAndAreCountedAllTheSame()
    {
        await using var upstream = await Upstream.StartAsync(new ScriptedServerOptions { MaxRecordedRequests = 2 });
        upstream.Server.Default.Replies(ScriptedReply.Status(200));
        foreach (var path in (string[])["/1", "/2", "/3"])
        {
            await upstream.StatusAsync(path);
        }

        (await upstream.Server.WaitForRequestsAsync(3)).Select(request => request.Path).ShouldBe(["/2", "/3"]);
        upstream.Server.RequestCount.ShouldBe(3);
        upstream.Server.Clear();
        upstream.Server.RequestCount.ShouldBe(0);
        (await upstream.StatusAsync("/4")).ShouldBe(200);
        (await upstream.Server.WaitForRequestsAsync(1)).ShouldHaveSingleItem().Path.ShouldBe("/4");
    }

    [Fact]
    public async Task WaitForRequests_ThatNeverCome_TellsWhatCame()
    {
        await using var upstream = await Upstream.StartAsync(new ScriptedServerOptions { WaitTimeout = TimeSpan.FromMilliseconds(1) });
        await upstream.StatusAsync("/other");

        (await Should.ThrowAsync<TimeoutException>(() => upstream.Server.On("GET", "/a").WaitForRequestsAsync(2))).Message
            .ShouldBe("0 of 2 requests for GET /a arrived within 00:00:00.0010000. All that arrived: GET /other.");
        await Should.ThrowAsync<ArgumentOutOfRangeException>(() => upstream.Server.WaitForRequestsAsync(0));
    }

    [Fact]
    public async Task WaitForRequests_Cancelled_Ends()
    {
        await using var server = await ScriptedServer.StartAsync();
        using var leaving = new CancellationTokenSource();
        var wait = server.WaitForRequestsAsync(1, leaving.Token);
        await leaving.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => wait);
    }

    [Theory]
    [OverBothWires]
    public async Task Requests_AtTheSameTime_TakeEachStepOnce(Wire wire)
    {
        await using var upstream = await Upstream.StartAsync(wire);
        var route = upstream.Server.On("GET", "/").RepliesOnce(ScriptedReply.Status(503).Times(100), ScriptedReply.Status(200).Times(100));

        var statuses = await Task.WhenAll(Enumerable.Range(0, 200).Select(_ => upstream.StatusAsync("/")));

        statuses.CountBy(status => status).OrderBy(pair => pair.Key).ShouldBe([new(200, 100), new(503, 100)]);
        await Task.WhenAll(route.Requests.Select(request => request.Ended));
        route.RequestCount.ShouldBe(200);
        route.InFlight.ShouldBe(0);
        upstream.Server.InFlight.ShouldBe(0);
    }

    [Fact]
    public async Task WaitForRequests_WhileTheyArrive_HasThoseItCounted()
    {
        await using var upstream = await Upstream.StartAsync();
        var route = upstream.Server.On("GET", "/").Replies(ScriptedReply.Status(200));
        List<Task<int>> answers = [];
        for (var count = 1; count <= 300; count++)
        {
            answers.Add(upstream.StatusAsync("/"));
            while (route.RequestCount < count)
            {
                await Task.Yield();
            }

            (await route.WaitForRequestsAsync(count)).Count.ShouldBeGreaterThanOrEqualTo(count);
        }

        (await Task.WhenAll(answers)).ShouldAllBe(status => status == 200);
    }

    [Fact]
    public async Task Options_ChangedAfterTheStart_DoNotMatter()
    {
        var options = new ScriptedServerOptions();
        await using var upstream = await Upstream.StartAsync(options);
        options.MaxRecordedBodyBytes = 0;
        options.TimeProvider = null!;

        using var content = new StringContent("body");
        using var response = await upstream.Client.PostAsync("/", content);

        upstream.Server.Requests[0].BodyText.ShouldBe("body");
    }

    [Fact]
    public async Task Server_InTheProcessOfATest_MakesNoRequestActivities()
    {
        using var activities = new ActivityRecorder("Microsoft.AspNetCore");
        await using var upstream = await Upstream.StartAsync();
        upstream.Server.Default.Replies(ScriptedReply.Status(200));
        using var marker = new Activity("test").Start();
        await upstream.StatusAsync("/");

        activities.Finished.ShouldNotContain(activity => activity.TraceId == marker.TraceId);
    }
}
