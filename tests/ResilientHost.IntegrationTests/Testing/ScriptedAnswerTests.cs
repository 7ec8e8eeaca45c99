using System.Net.Http.Json;

namespace ResilientHost.IntegrationTests.Testing;

public sealed class ScriptedAnswerTests
{
    [Theory]
    [OverBothWires]
    public async Task Answer_WithStatusHeadersAndBody_ArrivesAsWritten(Wire wire)
    {
        await using var upstream = await Upstream.StartAsync(wire);
        upstream.Server.On("GET", "/stock").Replies(
            ScriptedReply.Json(new { ItemsLeft = 3 }, 201).WithHeader("X-Shard", "a").WithHeader("x-shard", "b").WithHeader("content-type", "application/hal+json"));

        using var response = await upstream.BeginAsync("/stock");

        response.StatusCode.ShouldBe(HttpStatusCode.Created);
        response.Version.Major.ShouldBe(wire == Wire.Http1 ? 1 : 2);
        response.Headers.GetValues("X-Shard").ShouldBe(["a", "b"]);
        response.Content.Headers.ContentType!.ToString().ShouldBe("application/hal+json");
        response.Content.Headers.ContentLength.ShouldBe(15);
        (await response.Content.ReadAsStringAsync()).ShouldBe("""{"itemsLeft":3}""");
        response.Headers.Server.ShouldBeEmpty();
    }

    [Theory]
    [OverBothWires]
    public async Task Answer_OfEveryKind_HasTheFramingOfItsStatus(Wire wire)
    {
        await using var upstream = await Upstream.StartAsync(wire);
        upstream.Server.Default.Replies(ScriptedReply.Status(200), ScriptedReply.Status(204), ScriptedReply.Status(304), ScriptedReply.Text("grün", 599), ScriptedReply.Bytes(new byte[] { 0, 255 }));

        List<string> seen = [];
        for (var i = 0; i < 5; i++)
        {
            using var response = await upstream.BeginAsync("/");
            seen.Add($"{(int)response.StatusCode} {(await response.Content.ReadAsByteArrayAsync()).Length} {response.Content.Headers.ContentType?.MediaType}");
        }

        seen.ShouldBe(["200 0 ", "204 0 ", "304 0 ", "599 5 text/plain", "200 2 application/octet-stream"]);
    }

    [Theory]
    [OverBothWires]
    public async Task Head_OfAnAnswerWithBody_GetsItsHeadersAlone(Wire wire)
    {
        await using var upstream = await Upstream.StartAsync(wire);
        upstream.Server.Default.Replies(ScriptedReply.Text("hello").TruncatedAfter(2).InChunks(1, TimeSpan.FromHours(1)));

        using var request = new HttpRequestMessage(HttpMethod.Head, upstream.Server.Address)
        {
            Version = upstream.Client.DefaultRequestVersion,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        using var response = await upstream.Client.SendAsync(request);

        response.Content.Headers.ContentLength.ShouldBe(5);
        (await response.Content.ReadAsByteArrayAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task Json_ReadyText_IsSentAsItStands()
    {
        await using var upstream = await Upstream.StartAsync();
        upstream.Server.On("GET", "/").Replies(ScriptedReply.Json("""{ "left": 3 }"""));

        (await upstream.Client.GetFromJsonAsync<Dictionary<string, int>>("/"))!["left"].ShouldBe(3);
        (await upstream.Client.GetStringAsync("/")).ShouldBe("""{ "left": 3 }""");
    }

    [Fact]
    public async Task ConnectionClose_AsHeader_EndsTheConnection()
    {
        await using var upstream = await Upstream.StartAsync();
        upstream.Server.Default.Replies(ScriptedReply.Status(200).WithHeader("Connection", "close"));

        await upstream.StatusAsync("/");
        await upstream.StatusAsync("/");

        upstream.Server.Requests.Select(request => request.ConnectionId).Distinct().Count().ShouldBe(2);
    }
}
