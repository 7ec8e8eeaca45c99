using System.IO.Compression;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.WebSockets;
using System.Reflection;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.ApplicationParts;
using Microsoft.AspNetCore.Mvc.Controllers;
using Microsoft.AspNetCore.ResponseCompression;

namespace ResilientHost.IntegrationTests.Fallbacks;

/// <summary>Fallbacks beside the framework's own middleware, in combinations that a service comes to have by and by.</summary>
public sealed class HostileFallbackTests
{
    private static readonly TimeSpan TenMinutes = TimeSpan.FromMinutes(10);

    [Theory]
    [InlineData("gzip", false)]
    [InlineData("gzip", true)]
    [InlineData("br", false)]
    [InlineData("br", true)]
    public async Task Failure_AfterBytesThatCompressionHolds_NothingOfThemReachesTheCaller(string encoding, bool hasFallback)
    {
        await using var service = await TestService.StartAsync(new TestServiceSetup
        {
            Builder = builder => builder.Services.AddResponseCompression(),
            Outside = app => app.UseResponseCompression(),
            Endpoints = app =>
            {
                var endpoint = app.MapGet("/", async (HttpContext context) =>
                {
                    context.Response.ContentType = "text/plain";
                    await context.Response.Body.WriteAsync("half of it"u8.ToArray());
                    throw new InvalidOperationException();
                });
                if (hasFallback)
                {
                    endpoint.WithFallback(() => Results.Text("spare"));
                }
            },
        });
        using var request = new HttpRequestMessage(HttpMethod.Get, "/");
        request.Headers.Add("Accept-Encoding", encoding);

        string text;
        try
        {
            using var response = await service.SendAsync(request);
            text = await ReadAsync(response);
        }
        catch (HttpRequestException)
        {
            // Cut: the caller knows that this is no answer.
            return;
        }

        text.ShouldNotContain("half");
        if (hasFallback)
        {
            text.ShouldBe("spare");
        }
        else
        {
            text.ShouldContain("unhandled_exception");
        }
    }

    [Theory]
    [InlineData("spare")]
    [InlineData("")]
    public async Task FallbackAnswer_ThatSaysItIsPublic_StaysOutOfResponseCaching(string spare)
    {
        var broken = true;
        await using var service = await TestService.StartAsync(new TestServiceSetup
        {
            Builder = builder => builder.Services.AddResponseCaching(),
            Outside = app => app.UseResponseCaching(),
            Endpoints = app => app.MapGet("/", () => broken ? throw new InvalidOperationException() : "real").WithFallback(async (HttpContext context) =>
            {
                context.Response.Headers.CacheControl = "public, max-age=600";
                if (spare.Length > 0)
                {
                    await context.Response.WriteAsync(spare);
                }
            }),
        });

        (await (await service.GetAsync("/")).Content.ReadAsStringAsync()).ShouldBe(spare);
        broken = false;
        (await (await service.GetAsync("/")).Content.ReadAsStringAsync()).ShouldBe("real");
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("br")]
    [InlineData("buffer")]
    public async Task Stale_SessionBegunWhereTheAnswerIsHeldBack_IsNeverKept(string heldBy)
    {
        var broken = false;
        await using var service = await TestService.StartAsync(new TestServiceSetup
        {
            Builder = builder =>
            {
                builder.Services.AddDistributedMemoryCache().AddSession();
                builder.Services.AddResponseCompression();
            },
            Outside = app => (heldBy == "buffer" ? app.Use(BufferAsync) : app.UseResponseCompression()).UseSession(),
            Endpoints = app => app.MapGet("/", (HttpContext context) =>
            {
                if (broken)
                {
                    throw new InvalidOperationException();
                }

                context.Session.SetString("cart", "1");
                return Results.Text($"cart of {context.Session.Id}");
            }).WithStaleFallback(TenMinutes),
        });
        using (var request = new HttpRequestMessage(HttpMethod.Get, "/"))
        {
            request.Headers.Add("Accept-Encoding", heldBy);
            using var response = await service.SendAsync(request);
            response.Headers.Contains("Set-Cookie").ShouldBeTrue();
        }

        broken = true;
        (await service.StatusOfAsync("/")).ShouldBe(500);
    }

    [Fact]
    public async Task Refused_RequestWithoutAntiforgeryToken_GetsNoFallback()
    {
        var ran = 0;
        await using var service = await TestService.StartAsync(new TestServiceSetup
        {
            Builder = builder => builder.Services.AddAntiforgery(),
            Outside = app => app.UseAntiforgery(),
            Endpoints = app => app.MapPost("/", ([FromForm] string name) => name).WithCircuitBreaker("orders").WithFallback(() =>
            {
                ran++;
                return "queued";
            }),
            Configuration = """{ "CircuitBreakers": { "orders": {} } }""",
        });
        using var form = new FormUrlEncodedContent([KeyValuePair.Create("name", "tea")]);
        using var refused = await service.Client().PostAsync("/", form);
        ((int)refused.StatusCode).ShouldBe(400);

        service.Services.GetRequiredService<CircuitBreakerRegistry>().Get("orders").Isolate();
        using var again = new FormUrlEncodedContent([KeyValuePair.Create("name", "tea")]);
        using var response = await service.Client().PostAsync("/", again);

        ran.ShouldBe(0);
        ((int)response.StatusCode).ShouldBe(503);
    }

    [Fact]
    public async Task WebSocketOverHttp2_ThatFailsBeforeItIsAccepted_IsNotAcceptedByTheFallback()
    {
        await using var service = await TestService.StartAsync(new TestServiceSetup
        {
            Outside = app => app.UseWebSockets(),
            Endpoints = app => app.Map("/", Task (HttpContext _) => throw new InvalidOperationException()).WithFallback(() => "spare"),
        });
        using var socket = new ClientWebSocket();
        socket.Options.HttpVersion = HttpVersion.Version20;
        socket.Options.HttpVersionPolicy = HttpVersionPolicy.RequestVersionExact;
        var address = new UriBuilder(service.Client(Wire.Http2).BaseAddress!) { Scheme = "ws" }.Uri;

        await Should.ThrowAsync<WebSocketException>(() => socket.ConnectAsync(address, new HttpClient(new SocketsHttpHandler()), CancellationToken.None));
    }

    [Fact]
    public async Task SignalRLongPoll_OutlastsTheDefaultTimeout()
    {
        var time = new ManualTimeProvider();
        await using var service = await TestService.StartAsync(new TestServiceSetup
        {
            Builder = builder => builder.Services.AddSignalR(),
            Endpoints = app => app.MapHub<Chat>("/chat"),
            Configuration = """{ "Timeouts": { "Default": "00:00:10" } }""",
            Time = time,
        });
        using var negotiated = await service.Client().PostAsync("/chat/negotiate?negotiateVersion=1", null);
        var token = JsonElement.Parse(await negotiated.Content.ReadAsStringAsync()).GetProperty("connectionToken").GetString();
        using var first = await service.GetAsync($"/chat?id={token}");
        first.StatusCode.ShouldBe(HttpStatusCode.OK);
        using var content = new StringContent("{\"protocol\":\"json\",\"version\":1}\u001e");
        using var shook = await service.Client().PostAsync($"/chat?id={token}", content);
        using var shaken = await service.GetAsync($"/chat?id={token}");
        var poll = service.GetAsync($"/chat?id={token}");
        await TestService.EventuallyAsync(async () => await service.InFlightAsync("/chat") > 0, "the poll waits");

        time.Advance(TimeSpan.FromSeconds(11));
        time.Advance(TimeSpan.FromSeconds(2));
        using var ping = new StringContent("{\"type\":1,\"target\":\"Say\",\"arguments\":[]}\u001e");
        using var sent = await service.Client().PostAsync($"/chat?id={token}", ping);

        using var answer = await poll;
        (await answer.Content.ReadAsStringAsync()).ShouldContain("said");
        service.Metrics.Sum(ResilienceDiagnostics.Instruments.TimeoutExpired).ShouldBe(0);
    }

    [Fact]
    public async Task Stale_OfAnActionThatNegotiates_GivesEachCallerItsOwnFormat()
    {
        NegotiatingController.Broken = false;
        await using var service = await TestService.StartAsync(new TestServiceSetup
        {
            Builder = builder => builder.Services.AddControllers().AddXmlSerializerFormatters().ConfigureApplicationPartManager(parts =>
            {
                parts.FeatureProviders.Clear();
                parts.FeatureProviders.Add(new OnlyNegotiating());
            }),
            Endpoints = app => app.MapControllers(),
        });
        (await FormatAsync("application/xml")).ShouldBe("application/xml");
        (await FormatAsync("application/json")).ShouldBe("application/json");
        NegotiatingController.Broken = true;
        (await FormatAsync("application/xml")).ShouldBe("application/xml");
        (await FormatAsync("application/json")).ShouldBe("application/json");

        async Task<string?> FormatAsync(string accept)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/hostile/negotiating");
            request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue(accept));
            using var response = await service.SendAsync(request);
            ((int)response.StatusCode).ShouldBe(200);
            return response.Content.Headers.ContentType?.MediaType;
        }
    }

    [Fact]
    public async Task Stale_OfAnActionThatLooksIntoTheQueryItself_IsNotGivenForAnotherQuery()
    {
        NegotiatingController.Broken = false;
        await using var service = await TestService.StartAsync(new TestServiceSetup
        {
            Builder = builder => builder.Services.AddControllers().ConfigureApplicationPartManager(parts =>
            {
                parts.FeatureProviders.Clear();
                parts.FeatureProviders.Add(new OnlyNegotiating());
            }),
            Endpoints = app => app.MapControllers(),
        });
        (await (await service.GetAsync("/hostile/page?page=1")).Content.ReadAsStringAsync()).ShouldBe("page 1");
        NegotiatingController.Broken = true;
        (await service.StatusOfAsync("/hostile/page?page=2")).ShouldBe(500);
        (await (await service.GetAsync("/hostile/page?page=1")).Content.ReadAsStringAsync()).ShouldBe("page 1");
    }

    [Fact]
    public async Task ShortCircuitedEndpoint_ThatAsksForLayers_StopsTheStart()
    {
        var error = await TestService.FailToStartAsync(new TestServiceSetup
        {
            Endpoints = app => app.MapGet("/", string () => throw new InvalidOperationException()).ShortCircuit().WithFallback(() => "spare"),
        });
        error.ShouldContain("ShortCircuit");
    }

    [Fact]
    public async Task HealthCheck_InAGroupWithAFallback_StaysUnhealthy()
    {
        await using var service = await TestService.StartAsync(new TestServiceSetup
        {
            Builder = builder => builder.Services.AddHealthChecks().AddCheck("no", () => Microsoft.Extensions.Diagnostics.HealthChecks.HealthCheckResult.Unhealthy()),
            Endpoints = app =>
            {
                var group = app.MapGroup("").WithFallback(() => "spare");
                group.MapHealthChecks("/health");
            },
        });
        (await service.StatusOfAsync("/health")).ShouldBe(503);
    }

    [Fact]
    public async Task Stale_OfAFile_IsKept()
    {
        var path = Path.GetTempFileName();
        await File.WriteAllTextAsync(path, "the file");
        var broken = false;
        await using var service = await TestService.StartAsync(app => app.MapGet("/", () => broken ? throw new InvalidOperationException() : Results.File(path, "text/plain"))
            .WithStaleFallback(TenMinutes));
        (await (await service.GetAsync("/")).Content.ReadAsStringAsync()).ShouldBe("the file");
        broken = true;
        (await (await service.GetAsync("/")).Content.ReadAsStringAsync()).ShouldBe("the file");
        File.Delete(path);
    }

    [Fact]
    public async Task Fallback_ClientLeavesWhileItRuns_IsNoFailureOfTheFallback()
    {
        var gate = new Gate();
        await using var service = await TestService.StartAsync(app => app.MapGet("/", string () => throw new InvalidOperationException())
            .WithFallback(async (CancellationToken token) =>
            {
                await gate.PassAsync(token);
                return "spare";
            }));
        var client = await service.ConnectAsync();
        await client.SendAsync("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
        await gate.ArrivalAsync();
        client.Reset();

        await service.NothingHeldAsync();
        service.Metrics.Sum(ResilienceDiagnostics.Instruments.FallbackFailures).ShouldBe(0);
        service.LogsAbout("fallback").Where(entry => entry.Level >= LogLevel.Warning).ShouldBeEmpty();
    }

    [Theory, OverBothWires]
    public async Task Upload_BrokenOffByTheCaller_IsNoFailureAndGetsNoFallback(Wire wire)
    {
        var gate = new Gate();
        var ran = 0;
        await using var service = await TestService.StartAsync(app => app.MapPost("/", async (Stream body) =>
        {
            await body.ReadExactlyAsync(new byte[10_000]);
            await gate.PassAsync();
            await body.CopyToAsync(Stream.Null);
            return "real";
        }).WithFallback((Stream body) => $"spare {Interlocked.Increment(ref ran)} {body.CanRead}"));
        gate.Open();

        // The server tells the reader and the token of a request on threads of their own: now one, now the other comes first.
        for (var round = 0; round < 40; round++)
        {
            using var leaving = new CancellationTokenSource();
            using var request = new HttpRequestMessage(HttpMethod.Post, "/") { Content = new Unending(), Version = service.Client(wire).DefaultRequestVersion, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
            var upload = service.Client(wire).SendAsync(request, leaving.Token);
            await gate.ArrivalAsync();
            await leaving.CancelAsync();
            await Should.ThrowAsync<OperationCanceledException>(() => upload);
        }

        await service.NothingHeldAsync();
        service.ExceptionsOf("endpoint").ShouldBe(0);
        ran.ShouldBe(0);
        (await service.BreakerAsync("POST /")).GetProperty("calls").GetInt32().ShouldBe(0);
    }

    [Fact]
    public async Task Fallback_BufferOfInnerMiddlewareLeftBehind_AnswersTheCaller()
    {
        await using var service = await TestService.StartAsync(app =>
        {
            app.Use(BufferAsync);
            app.MapGet("/throws", string () => throw new InvalidOperationException()).WithFallback(() => "spare");
            app.MapGet("/answers", () => Results.Text("bad", statusCode: 503)).WithFallback(() => "spare");
            app.MapGet("/fine", () => "fine").WithFallback(() => "spare").WithStaleFallback(TenMinutes);
        });
        (await (await service.GetAsync("/throws")).Content.ReadAsStringAsync()).ShouldBe("spare");
        (await (await service.GetAsync("/answers")).Content.ReadAsStringAsync()).ShouldBe("spare");
        (await (await service.GetAsync("/fine")).Content.ReadAsStringAsync()).ShouldBe("fine");
    }

    [Fact]
    public async Task Fallback_ReExecutedStatusPage_StaysTheFrameworksOwn()
    {
        await using var service = await TestService.StartAsync(new TestServiceSetup
        {
            Outside = app => app.UseStatusCodePagesWithReExecute("/status/{0}").UseRouting(),
            Endpoints = app =>
            {
                app.MapGet("/status/{code:int}", (int code) => $"page {code}");
                app.MapGet("/empty", () => Results.StatusCode(503)).WithFallback(() => Results.StatusCode(502));
                app.MapGet("/missing", () => Results.NotFound()).WithFallback(() => "spare");
                app.MapGet("/saved", () => Results.StatusCode(503)).WithFallback(() => "spare");
            },
        });
        (await (await service.GetAsync("/empty")).Content.ReadAsStringAsync()).ShouldBe("page 503");
        (await (await service.GetAsync("/missing")).Content.ReadAsStringAsync()).ShouldBe("page 404");
        (await (await service.GetAsync("/saved")).Content.ReadAsStringAsync()).ShouldBe("spare");
    }

    private static async Task BufferAsync(HttpContext context, RequestDelegate next)
    {
        var body = context.Response.Body;
        using var buffer = new MemoryStream();
        context.Response.Body = buffer;
        await next(context);
        context.Response.Body = body;
        buffer.Position = 0;
        await buffer.CopyToAsync(body);
    }

    private static async Task<string> ReadAsync(HttpResponseMessage response)
    {
        var bytes = await response.Content.ReadAsByteArrayAsync();
        await using Stream stream = response.Content.Headers.ContentEncoding.SingleOrDefault() switch
        {
            "gzip" => new GZipStream(new MemoryStream(bytes), CompressionMode.Decompress),
            "br" => new BrotliStream(new MemoryStream(bytes), CompressionMode.Decompress),
            _ => new MemoryStream(bytes),
        };
        using var reader = new StreamReader(stream, System.Text.Encoding.Latin1);
        return await reader.ReadToEndAsync();
    }

    private sealed class Unending : HttpContent
    {
        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
        {
            await stream.WriteAsync(new byte[10_000], cancellationToken);
            await stream.FlushAsync(cancellationToken);
            await new TaskCompletionSource().Task.WaitAsync(cancellationToken);
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }

    private sealed class OnlyNegotiating : IApplicationFeatureProvider<ControllerFeature>
    {
        public void PopulateFeature(IEnumerable<ApplicationPart> parts, ControllerFeature feature) => feature.Controllers.Add(typeof(NegotiatingController).GetTypeInfo());
    }

    public sealed class Chat : Microsoft.AspNetCore.SignalR.Hub
    {
        public Task Say() => Clients.All.SendCoreAsync("said", []);
    }
}

[Route("hostile")]
public sealed class NegotiatingController : ControllerBase
{
    public static bool Broken { get; set; }

    [HttpGet("negotiating"), StaleFallback(600)]
    public Item Negotiated() => Broken ? throw new InvalidOperationException() : new Item { Name = "tea" };

    [HttpGet("page"), StaleFallback(600)]
    public string Page() => Broken ? throw new InvalidOperationException() : $"page {Request.Query["page"]}";

    public sealed class Item
    {
        public string Name { get; set; } = "";
    }
}
