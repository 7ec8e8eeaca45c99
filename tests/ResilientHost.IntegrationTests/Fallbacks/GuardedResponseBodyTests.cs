using System.Buffers;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Reflection;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.Controllers;
using ResilientHost.Fallbacks;

namespace ResilientHost.IntegrationTests.Fallbacks;

/// <summary>The guard over Kestrel, and over bodies that stock middleware puts before it.</summary>
public sealed class GuardedResponseBodyTests
{
    private const string Standin = "stand-in";

    [Theory]
    [InlineData("status", Wire.Http1)]
    [InlineData("status", Wire.Http2)]
    [InlineData("text", Wire.Http1)]
    [InlineData("text", Wire.Http2)]
    [InlineData("json", Wire.Http1)]
    [InlineData("json", Wire.Http2)]
    [InlineData("problem", Wire.Http1)]
    [InlineData("problem", Wire.Http2)]
    [InlineData("writer", Wire.Http1)]
    [InlineData("writer", Wire.Http2)]
    [InlineData("complete", Wire.Http1)]
    [InlineData("complete", Wire.Http2)]
    [InlineData("length", Wire.Http1)]
    [InlineData("length", Wire.Http2)]
    [InlineData("mvc", Wire.Http1)]
    [InlineData("mvc", Wire.Http2)]
    public async Task Failure_IsReplacedWholly(string kind, Wire wire)
    {
        await using var service = await StartAsync();

        using var response = await service.GetAsync($"/fails/{kind}", wire);

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        (await response.Content.ReadAsStringAsync()).ShouldBe(Standin);
        (await service.Client(wire).GetStringAsync("/works/text")).ShouldBe("fine");
    }

    [Theory, OverBothWires]
    public async Task Failure_ReplacedBehindResponseCompression_IsReadable(Wire wire)
    {
        await using var service = await StartAsync(app => app.UseResponseCompression());
        using var request = new HttpRequestMessage(HttpMethod.Get, "/fails/text") { Headers = { { "Accept-Encoding", "gzip" } } };

        using var response = await service.SendAsync(request, wire);

        response.Content.Headers.ContentEncoding.ShouldBe(["gzip"]);
        await using var text = new System.IO.Compression.GZipStream(await response.Content.ReadAsStreamAsync(), System.IO.Compression.CompressionMode.Decompress);
        (await new StreamReader(text).ReadToEndAsync()).ShouldBe(Standin);
    }

    [Theory]
    [InlineData("text", "fine", Wire.Http1)]
    [InlineData("text", "fine", Wire.Http2)]
    [InlineData("json", "{\"value\":\"fine\"}", Wire.Http1)]
    [InlineData("json", "{\"value\":\"fine\"}", Wire.Http2)]
    [InlineData("writer", "fine", Wire.Http1)]
    [InlineData("writer", "fine", Wire.Http2)]
    [InlineData("mvc", "{\"value\":\"fine\"}", Wire.Http1)]
    [InlineData("mvc", "{\"value\":\"fine\"}", Wire.Http2)]
    [InlineData("file", "fine", Wire.Http1)]
    [InlineData("file", "fine", Wire.Http2)]
    [InlineData("nothing", "", Wire.Http1)]
    [InlineData("nothing", "", Wire.Http2)]
    public async Task Answer_ThatIsFine_ArrivesAndIsSeen(string kind, string text, Wire wire)
    {
        await using var service = await StartAsync();

        using var response = await service.GetAsync($"/works/{kind}", wire);

        (await response.Content.ReadAsStringAsync()).ShouldBe(text);
        Tap.Last(service).Bytes.WrittenSpan.SequenceEqual(System.Text.Encoding.UTF8.GetBytes(text)).ShouldBeTrue();
        Tap.Last(service).IsUnrecordable.ShouldBeFalse();
    }

    [Theory, OverBothWires]
    public async Task Answer_BehindTheOutputCache_IsKeptWhole(Wire wire)
    {
        await using var service = await StartAsync(app => app.UseOutputCache());

        var first = await service.Client(wire).GetStringAsync("/works/cached");
        var second = await service.Client(wire).GetStringAsync("/works/cached");

        second.ShouldBe(first);
    }

    [Theory, OverBothWires]
    public async Task Head_OfAnAnswerThatIsFine_KeepsItsLength(Wire wire)
    {
        await using var service = await StartAsync();
        using var request = new HttpRequestMessage(HttpMethod.Head, "/works/length");

        using var response = await service.SendAsync(request, wire);

        response.Content.Headers.ContentLength.ShouldBe(4);
    }

    [Theory, OverBothWires]
    public async Task StreamedAnswer_ArrivesChunkByChunk(Wire wire)
    {
        var gate = new Gate();
        await using var service = await StartAsync(endpoints: app => app.MapGet("/stream", async (HttpContext context) =>
        {
            await context.Response.WriteAsync("first,");
            await context.Response.Body.FlushAsync();
            await gate.PassAsync();
            await context.Response.WriteAsync("second");
        }));
        using var request = new HttpRequestMessage(HttpMethod.Get, "/stream");

        using var response = await service.SendAsync(request, wire, HttpCompletionOption.ResponseHeadersRead);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        var chunk = new char[6];
        await reader.ReadBlockAsync(chunk);
        gate.Open();

        new string(chunk).ShouldBe("first,");
        (await reader.ReadToEndAsync()).ShouldBe("second");
    }

    [Fact]
    public async Task Guard_OfOneConnection_IsKeptWithIt()
    {
        await using var service = await StartAsync();

        await service.Client().GetStringAsync("/works/text");
        var first = service.Services.GetRequiredService<Taps>().Guard;
        await service.Client().GetStringAsync("/works/json");

        service.Services.GetRequiredService<Taps>().Guard.ShouldBeSameAs(first);
    }

    /// <summary>A stream that has not been given back yet when the next request comes is not used for it: a caller has its answer a moment before.</summary>
    [Fact]
    public async Task Guard_OfOneHttp2Stream_IsKeptWithIt()
    {
        await using var service = await StartAsync();
        HashSet<object?> seen = [];

        await TestService.EventuallyAsync(
            async () =>
            {
                await service.Client(Wire.Http2).GetStringAsync("/works/text");
                return !seen.Add(service.Services.GetRequiredService<Taps>().Guard);
            },
            "a guard is used again");
    }

    [Theory, OverBothWires]
    public async Task WriterThatWasKept_AcrossConnections_NeverReachesAnotherCaller(Wire wire)
    {
        Stream? kept = null;
        await using var service = await StartAsync(endpoints: app =>
        {
            app.MapGet("/keeps", (HttpContext context) =>
            {
                kept = context.Response.Body;
                return "kept";
            });
            app.MapGet("/victim", async (HttpContext context) =>
            {
                await Should.ThrowAsync<ObjectDisposedException>(async () => await kept!.WriteAsync("secret"u8.ToArray()));
                await context.Response.WriteAsync("mine");
            });
        });
        await service.Client(wire).GetStringAsync("/keeps");

        (await service.Client(wire == Wire.Http1 ? Wire.Http2 : Wire.Http1).GetStringAsync("/victim")).ShouldBe("mine");
    }

    [Theory, OverBothWires]
    public async Task RequestBody_ThatAFailedEndpointRead_IsReadAgain(Wire wire)
    {
        await using var service = await StartAsync();
        using var request = new HttpRequestMessage(HttpMethod.Post, "/echo") { Content = JsonContent.Create(new Payload(new string('x', 30_000))) };

        using var response = await service.SendAsync(request, wire);

        (await response.Content.ReadAsStringAsync()).ShouldBe("30000");
        (await service.Client(wire).GetStringAsync("/works/text")).ShouldBe("fine");
    }

    [Theory, OverBothWires]
    public async Task RequestBody_OverTheLimit_IsReadByTheEndpointOnly(Wire wire)
    {
        await using var service = await StartAsync();
        using var content = new StreamContent(new UnknownLength(JsonSerializer.SerializeToUtf8Bytes(new Payload(new string('x', 100_000)))));
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        using var request = new HttpRequestMessage(HttpMethod.Post, "/echo") { Content = content };

        using var response = await service.SendAsync(request, wire);

        (await response.Content.ReadAsStringAsync()).ShouldBe("not replayable after 100000");
    }

    private static Task<TestService> StartAsync(Action<WebApplication>? outside = null, Action<WebApplication>? endpoints = null) => TestService.StartAsync(new TestServiceSetup
    {
        Builder = static builder =>
        {
            builder.Services.AddOutputCache();
            builder.Services.AddResponseCompression();
            builder.Services.AddControllers().ConfigureApplicationPartManager(static parts =>
            {
                parts.FeatureProviders.Clear();
                parts.FeatureProviders.Add(new AnswersOnly());
            });
            builder.Services.AddSingleton<Taps>();
        },
        Outside = app =>
        {
            outside?.Invoke(app);
            app.Use(GuardAsync);
        },
        Endpoints = app =>
        {
            MapFailures(app);
            MapAnswers(app);
            app.MapControllers();
            endpoints?.Invoke(app);
        },
    });

    // What the fallback's runner does, in little.
    private static async Task GuardAsync(HttpContext context, RequestDelegate next)
    {
        var tap = new Tap();
        context.RequestServices.GetRequiredService<Taps>().Last = tap;
        var guard = GuardedResponseBody.Attach(context, replacesFailures: true, tap)!;
        context.RequestServices.GetRequiredService<Taps>().Guard = guard;
        var request = HttpMethods.IsPost(context.Request.Method) ? ReplayableRequestBody.Attach(context) : null;
        try
        {
            await next(context);
            guard.Detach();
            if (guard.HasReplaced)
            {
                context.Response.HasStarted.ShouldBeFalse();
                context.Response.Clear();
                context.Response.ContentType = "text/plain";
                await context.Response.WriteAsync(request is null ? Standin : await AnswerAsync(context, request));
            }
        }
        finally
        {
            guard.Detach();
            request?.Detach();
        }
    }

    private static async Task<string> AnswerAsync(HttpContext context, ReplayableRequestBody request)
    {
        if (!request.IsReplayable)
        {
            return $"not replayable after {context.Items["read"]}";
        }

        request.Replay();
        var payload = await context.Request.ReadFromJsonAsync<Payload>();
        return payload!.Value.Length.ToString();
    }

    private static void MapFailures(WebApplication app)
    {
        app.MapGet("/fails/status", async (HttpResponse response) =>
        {
            response.StatusCode = 503;
            await response.StartAsync();
        });
        app.MapGet("/fails/text", () => Results.Text("broken", "text/plain", statusCode: 500));
        app.MapGet("/fails/json", () => Results.Json(new Payload("broken"), statusCode: 503));
        app.MapGet("/fails/problem", () => Results.Problem(statusCode: 502));
        app.MapGet("/fails/writer", async (HttpResponse response) =>
        {
            "broken"u8.CopyTo(response.BodyWriter.GetSpan(6));
            response.StatusCode = 503;
            response.BodyWriter.Advance(6);
            await response.BodyWriter.FlushAsync();
        });
        app.MapGet("/fails/complete", async (HttpResponse response) =>
        {
            response.StatusCode = 503;
            await response.CompleteAsync();
        });
        app.MapGet("/fails/length", async (HttpResponse response) =>
        {
            response.StatusCode = 503;
            response.ContentLength = 1000;
            await response.WriteAsync("half of it");
        });
        app.MapPost("/echo", (HttpContext context, Payload payload) =>
        {
            context.Items["read"] = payload.Value.Length;
            return Results.Json(payload, statusCode: 503);
        });
    }

    private static void MapAnswers(WebApplication app)
    {
        app.MapGet("/works/text", () => "fine");
        app.MapGet("/works/json", () => new Payload("fine"));
        app.MapGet("/works/writer", async (HttpResponse response) =>
        {
            response.BodyWriter.Write("fi"u8);
            response.BodyWriter.Write("ne"u8);
            await response.BodyWriter.FlushAsync();
        });
        app.MapGet("/works/length", async (HttpResponse response) =>
        {
            response.ContentLength = 4;
            await response.WriteAsync("fine");
        });
        app.MapMethods("/works/length", ["HEAD"], (HttpResponse response) => response.ContentLength = 4);
        app.MapGet("/works/nothing", () => Results.NoContent());
        app.MapGet("/works/cached", () => Guid.NewGuid().ToString()).CacheOutput();
        app.MapGet("/works/file", async () =>
        {
            var path = Path.Combine(Path.GetTempPath(), "resilient-host-guarded-body.txt");
            await File.WriteAllTextAsync(path, "fine");
            return Results.File(path, "text/plain");
        });
    }

    private sealed class Taps
    {
        public Tap? Last { get; set; }

        public GuardedResponseBody? Guard { get; set; }
    }

    private sealed class Tap : IResponseTap
    {
        public ArrayBufferWriter<byte> Bytes { get; } = new();

        public bool IsUnrecordable { get; private set; }

        public static Tap Last(TestService service) => service.Services.GetRequiredService<Taps>().Last!;

        public void OnStarting(HttpContext context) => context.Response.HasStarted.ShouldBeFalse();

        public void OnWrite(ReadOnlySpan<byte> bytes) => Bytes.Write(bytes);

        public void OnUnrecordable() => IsUnrecordable = true;
    }

    private sealed class UnknownLength(byte[] bytes) : MemoryStream(bytes)
    {
        public override bool CanSeek => false;
    }

    // Controllers that are public are part of every service in this assembly.
    private sealed class AnswersOnly : ControllerFeatureProvider
    {
        protected override bool IsController(TypeInfo typeInfo) => typeInfo.AsType() == typeof(AnswersController);
    }

    private sealed class AnswersController : ControllerBase
    {
        [HttpGet("/fails/mvc")]
        public ActionResult<Payload> Fails() => StatusCode(500, new Payload("broken"));

        [HttpGet("/works/mvc")]
        public ActionResult<Payload> Works() => new Payload("fine");
    }

    private sealed record Payload(string Value);
}
