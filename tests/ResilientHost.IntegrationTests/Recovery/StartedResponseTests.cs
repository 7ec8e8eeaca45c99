using System.Buffers;
using System.Text;

namespace ResilientHost.IntegrationTests.Recovery;

public sealed class StartedResponseTests
{
    private sealed record HalfSerializable(string First)
    {
        public string Second => throw new InvalidOperationException("marker-json");
    }

    private static void MapBreaking(WebApplication app, Gate? gate = null)
    {
        app.MapGet("/chunked", async (HttpContext context) =>
        {
            await context.Response.WriteAsync("first part");
            await context.Response.Body.FlushAsync();
            await (gate?.PassAsync() ?? Task.CompletedTask);
            throw new InvalidOperationException("marker-started");
        });
        app.MapGet("/length", async (HttpContext context) =>
        {
            context.Response.ContentLength = 1000;
            await context.Response.WriteAsync("first part");
            await (gate?.PassAsync() ?? Task.CompletedTask);
            throw new InvalidOperationException("marker-started");
        });
        app.MapGet("/complete", async (HttpContext context) =>
        {
            await context.Response.WriteAsync("whole body");
            await context.Response.CompleteAsync();
            throw new InvalidOperationException("marker-started");
        });
        app.MapGet("/unflushed", (HttpContext context) =>
        {
            context.Response.ContentType = "application/json";
            context.Response.BodyWriter.Write(Encoding.UTF8.GetBytes("""{"half":"of a body"""));
            throw new InvalidOperationException("marker-unflushed");
        });
        app.MapGet("/json", () => new HalfSerializable("first"));
        app.MapGet("/json-list", () => Enumerable.Range(0, 5000).Select(i => i < 4999 ? i : throw new InvalidOperationException("marker-json")));
        app.MapGet("/on-starting", (HttpContext context) =>
        {
            context.Response.OnStarting(() => throw new InvalidOperationException("marker-on-starting"));
            throw new InvalidOperationException("marker-before-start");
        });
        app.MapGet("/fine", () => "fine");
    }

    [Theory]
    [InlineData("/chunked")]
    [InlineData("/length")]
    public async Task Http1_ResponseStartedThenThrows_NeverEndsCleanly(string path)
    {
        var gate = new Gate();
        await using var service = await TestService.StartAsync(app => MapBreaking(app, gate));
        using var connection = await service.ConnectAsync();
        await connection.SendAsync($"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        (await connection.ReadUntilAsync("first part")).ShouldStartWith("HTTP/1.1 200 ");
        gate.Open();
        var rest = await connection.ReadToEndAsync();
        rest.ShouldNotContain("\r\n0\r\n");
        rest.ShouldNotContain("problem");
        await service.OneLogAboutAsync("marker-started");
    }

    [Theory]
    [InlineData(Wire.Http1, "/chunked")]
    [InlineData(Wire.Http1, "/length")]
    [InlineData(Wire.Http2, "/chunked")]
    [InlineData(Wire.Http2, "/length")]
    public async Task Client_ReadsAResponseThatBroke_GetsAnError(Wire wire, string path)
    {
        await using var service = await TestService.StartAsync(app => MapBreaking(app));
        await Should.ThrowAsync<HttpRequestException>(() => service.Client(wire).GetStringAsync(path));
        await service.OneLogAboutAsync("marker-started");
        service.ExceptionsOf("endpoint").ShouldBe(1);
        await service.NothingHeldAsync();
        (await service.BreakerAsync($"GET {path}")).GetProperty("failureRatio").GetDouble().ShouldBe(1);
    }

    [Fact]
    public async Task Http2_OneStreamBreaks_OthersOfTheConnectionLive()
    {
        var gate = new Gate();
        await using var service = await TestService.StartAsync(app => MapBreaking(app, gate));
        using var breaking = await service.Client(Wire.Http2).GetAsync("/chunked", HttpCompletionOption.ResponseHeadersRead);
        await gate.ArrivalAsync();
        var neighbour = service.Client(Wire.Http2).GetStringAsync("/fine");
        gate.Open();
        await Should.ThrowAsync<HttpRequestException>(() => breaking.Content.ReadAsStringAsync());
        (await neighbour).ShouldBe("fine");
        (await service.Client(Wire.Http2).GetStringAsync("/fine")).ShouldBe("fine");
    }

    [Theory]
    [InlineData(Wire.Http1, "/unflushed")]
    [InlineData(Wire.Http1, "/json")]
    [InlineData(Wire.Http1, "/json-list")]
    [InlineData(Wire.Http2, "/unflushed")]
    [InlineData(Wire.Http2, "/json")]
    [InlineData(Wire.Http2, "/json-list")]
    public async Task Body_HalfWrittenThenThrows_IsACleanProblemOrAnAbortNeverAMixture(Wire wire, string path)
    {
        await using var service = await TestService.StartAsync(app => MapBreaking(app));
        HttpResponseMessage? response = null;
        try
        {
            response = await service.GetAsync(path, wire);
        }
        catch (HttpRequestException)
        {
            // Aborted: fine.
        }

        if (response is not null)
        {
            await response.ShouldBeProblemAsync(500, "unhandled_exception");
            response.Dispose();
        }

        await service.OneLogAboutAsync(path == "/unflushed" ? "marker-unflushed" : "marker-json");
    }

    [Theory, OverBothWires]
    public async Task Answer_OnStartingCallbackThrows_IsContained(Wire wire)
    {
        await using var service = await TestService.StartAsync(app => MapBreaking(app));
        try
        {
            (await service.StatusOfAsync("/on-starting", wire)).ShouldBe(500);
        }
        catch (HttpRequestException)
        {
            // Aborted: fine.
        }

        await service.OneLogAboutAsync("marker-before-start");
        await service.NothingHeldAsync();
        (await service.StatusOfAsync("/fine", wire)).ShouldBe(200);
    }

    [Theory, OverBothWires]
    public async Task Body_CompletedThenThrows_LogsOnceAndHoldsNothing(Wire wire)
    {
        await using var service = await TestService.StartAsync(app => MapBreaking(app));
        try
        {
            using var response = await service.GetAsync("/complete", wire);
            (await response.Content.ReadAsStringAsync()).ShouldBe("whole body");
        }
        catch (HttpRequestException)
        {
            // The abort may overtake the end of the body.
        }

        await service.OneLogAboutAsync("marker-started");
        await service.NothingHeldAsync();
    }
}
