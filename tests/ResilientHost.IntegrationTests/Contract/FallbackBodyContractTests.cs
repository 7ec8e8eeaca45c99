using System.Buffers;
using System.IO.Pipelines;
using System.Net.Http.Json;
using System.Text;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace ResilientHost.IntegrationTests.Contract;

/// <summary>"A fallback that binds the request body needs it replayable: in memory, at most 64 KB, else the fallback is skipped and that is logged."</summary>
public sealed class FallbackBodyContractTests
{
    private const int Limit = 64 * 1024;
    private const string Open = """{ "CircuitBreakers": { "open": { "Mode": "ForcedOpen" } } }""";

    public static TheoryData<string, Wire> Reads()
    {
        var data = new TheoryData<string, Wire>();
        foreach (var how in (string[])["nothing", "some", "all", "twice", "reader", "reader some", "buffering", "sync copy"])
        {
            data.Add(how, Wire.Http1);
            data.Add(how, Wire.Http2);
        }

        return data;
    }

    [Theory, MemberData(nameof(Reads))]
    public async Task Body_HoweverMuchTheEndpointRead_TheFallbackGetsTheWhole(string how, Wire wire)
    {
        await using var service = await TestService.StartAsync(app => app.MapPost("/", async (HttpContext context) =>
        {
            await ReadAsync(context, how);
            throw new InvalidOperationException();
        }).WithFallback(async (Stream body) =>
        {
            using var reader = new StreamReader(body);
            return await reader.ReadToEndAsync();
        }));
        var text = string.Concat(Enumerable.Range(0, 5000).Select(i => $"{i},"));

        for (var i = 0; i < 3; i++)
        {
            (await PostAsync(service, "/", new StringContent(text + i), wire)).ShouldBe(Answer.Spare(text + i));
        }

        await service.NothingHeldAsync();
    }

    [Theory]
    [InlineData(Limit, true, true)]
    [InlineData(Limit + 1, true, false)]
    [InlineData(Limit, false, true)]
    [InlineData(Limit + 1, false, false)]
    [InlineData(3_000_000, false, false)]
    public async Task Body_AtTheLimit_IsReplayedAndOneByteMoreIsNot(int length, bool knowsItsLength, bool isReplayed)
    {
        var read = 0L;
        await using var service = await TestService.StartAsync(app => app.MapPost("/", async (HttpContext context) =>
        {
            using var copy = new MemoryStream();
            await context.Request.Body.CopyToAsync(copy);
            read = copy.Length;
            throw new InvalidOperationException("original");
        }).WithFallback(async (Stream body) =>
        {
            using var copy = new MemoryStream();
            await body.CopyToAsync(copy);
            return $"{copy.Length} {copy.ToArray().All(b => b == 7)}";
        }));
        var bytes = new byte[length];
        Array.Fill(bytes, (byte)7);

        var answer = await PostAsync(service, "/", knowsItsLength ? new ByteArrayContent(bytes) : new ChunkedContent(bytes));

        read.ShouldBe(length);
        if (isReplayed)
        {
            answer.ShouldBe(Answer.Spare($"{length} True"));
        }
        else
        {
            answer.ShouldHaveFailed(500);
            (await service.OneLogAboutAsync("65536")).EventId.Id.ShouldBeInRange(1200, 1299);
        }

        await service.NothingHeldAsync();
    }

    [Fact]
    public async Task Body_OverTheLimit_AFallbackThatDoesNotBindItRuns()
    {
        await using var service = await TestService.StartAsync(app => app.MapPost("/", async Task<string> (Stream body) =>
        {
            await body.CopyToAsync(Stream.Null);
            throw new InvalidOperationException();
        }).WithFallback(() => "spare"));

        (await PostAsync(service, "/", new ByteArrayContent(new byte[1_000_000]))).ShouldBe(Answer.Spare());
    }

    [Fact]
    public async Task Body_IsAForm_BothBindIt()
    {
        await using var service = await TestService.StartAsync(app =>
        {
            app.MapPost("/fields", string ([FromForm] string name) => throw new InvalidOperationException(name)).DisableAntiforgery().WithFallback(([FromForm] string name) => $"spare {name}");
            app.MapPost("/files", string (IFormFile file) => throw new InvalidOperationException(file.Name)).DisableAntiforgery().WithFallback(async (IFormFile file) =>
            {
                using var reader = new StreamReader(file.OpenReadStream());
                return $"spare {await reader.ReadToEndAsync()}";
            });
            app.MapPost("/unread", string () => throw new InvalidOperationException()).WithFallback(([FromForm] string name) => $"spare {name}").DisableAntiforgery();
        });

        (await PostAsync(service, "/fields", new FormUrlEncodedContent([new("name", "tea")]))).ShouldBe(Answer.Spare("spare tea"));
        (await PostAsync(service, "/unread", new FormUrlEncodedContent([new("name", "tea")]))).ShouldBe(Answer.Spare("spare tea"));
        using var form = new MultipartFormDataContent { { new StringContent("leaves"), "file", "tea.txt" } };
        (await PostAsync(service, "/files", form)).ShouldBe(Answer.Spare("spare leaves"));
    }

    [Fact]
    public async Task Body_IsJson_EndpointAndFallbackBindItInTheirOwnWays()
    {
        await using var service = await TestService.StartAsync(app =>
        {
            app.MapPost("/json", async Task<string> (HttpRequest request) =>
            {
                var order = await request.ReadFromJsonAsync<Order>();
                throw new InvalidOperationException(order?.Name);
            }).WithFallback((Order order) => $"spare {order.Name}");
            app.MapPost("/pipe", string (Order order) => throw new InvalidOperationException(order.Name)).WithFallback(async (PipeReader body) =>
            {
                var result = await body.ReadAtLeastAsync(1000);
                return Encoding.UTF8.GetString(result.Buffer.ToArray());
            });
        });

        (await PostAsync(service, "/json", JsonContent.Create(new Order("tea")))).ShouldBe(Answer.Spare("spare tea"));
        (await PostAsync(service, "/pipe", JsonContent.Create(new Order("tea")))).ShouldBe(Answer.Spare("""{"name":"tea"}"""));
    }

    [Fact]
    public async Task ExpectContinue_RefusedAndNobodyBindsTheBody_IsAnsweredWithoutAskingForIt()
    {
        await using var service = await TestService.StartAsync(app => app.MapPost("/", (Order order) => "real").WithCircuitBreaker("open").WithFallback(() => "spare"), Open);
        using var connection = await service.ConnectAsync();

        await connection.SendAsync("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 14\r\nExpect: 100-continue\r\n\r\n");
        var head = await connection.ReadUntilAsync("\r\n\r\n");

        head.ShouldStartWith("HTTP/1.1 200");
        head.ShouldContain("Resilience-Fallback: delegate");
    }

    [Fact]
    public async Task ExpectContinue_RefusedAndTheFallbackBindsTheBody_AsksForIt()
    {
        await using var service = await TestService.StartAsync(app => app.MapPost("/", (Order order) => "real").WithCircuitBreaker("open").WithFallback((Order order) => $"spare {order.Name}"), Open);
        using var connection = await service.ConnectAsync();

        await connection.SendAsync("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 14\r\nConnection: close\r\nExpect: 100-continue\r\n\r\n");
        (await connection.ReadUntilAsync("\r\n\r\n")).ShouldStartWith("HTTP/1.1 100");
        await connection.SendAsync("{\"name\":\"tea\"}");

        (await connection.ReadToEndAsync()).ShouldContain("\r\nspare tea\r\n");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Pipelined_FailedPostsWithBodies_EachIsAnsweredByItsOwn(bool bindsBody)
    {
        await using var service = await TestService.StartAsync(app =>
        {
            var endpoint = app.MapPost("/{id:int}", async (int id, HttpContext context) =>
            {
                if (id % 2 == 0)
                {
                    await context.Request.Body.ReadExactlyAsync(new byte[5]);
                }

                throw new InvalidOperationException();
            });
            _ = bindsBody
                ? endpoint.WithFallback(async (int id, Stream body) => $"[spare {id} {await new StreamReader(body).ReadToEndAsync()}]")
                : endpoint.WithFallback((int id) => $"[spare {id}]");
        });
        using var connection = await service.ConnectAsync();
        var requests = string.Concat(Enumerable.Range(0, 20).Select(id =>
            $"POST /{id} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n{(id == 19 ? "Connection: close\r\n" : "")}\r\nbody-{id:00000}"));

        await connection.SendAsync(requests);
        var answers = await connection.ReadToEndAsync();

        var bodies = System.Text.RegularExpressions.Regex.Matches(answers, @"\[(.*?)\]").Select(match => match.Groups[1].Value);
        bodies.ShouldBe(Enumerable.Range(0, 20).Select(id => bindsBody ? $"spare {id} body-{id:00000}" : $"spare {id}"));
        answers.ShouldNotContain("HTTP/1.1 4");
    }

    [Fact]
    public async Task Client_LeavesInTheMiddleOfTheBody_NoFallbackIsServedAndNothingHeld()
    {
        var calls = 0;
        var gate = new Gate();
        await using var service = await TestService.StartAsync(app => app.MapPost("/", async Task<string> (Stream body) =>
        {
            await body.ReadExactlyAsync(new byte[4]);
            var rest = body.CopyToAsync(Stream.Null);
            await gate.PassAsync();
            await rest;
            return "real";
        }).WithFallback((Stream body) =>
        {
            calls++;
            return "spare";
        }));
        var connection = await service.ConnectAsync();
        await connection.SendAsync("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nhalf");
        await gate.ArrivalAsync();
        connection.Reset();
        gate.Open();

        await service.NothingHeldAsync();
        (await service.BreakerAsync("POST /")).GetProperty("calls").GetInt32().ShouldBe(0);
        calls.ShouldBe(0);
        service.ShouldHaveLoggedNoError();
    }

    [Fact]
    public async Task Body_TooLargeForTheServer_413IsTheAnswer()
    {
        await using var service = await TestService.StartAsync(new TestServiceSetup
        {
            Builder = builder => builder.Services.Configure<KestrelServerOptions>(options => options.Limits.MaxRequestBodySize = 100),
            Endpoints = app => app.MapPost("/", async Task<string> (Stream body) =>
            {
                await body.CopyToAsync(Stream.Null);
                return "real";
            }).WithFallback((Stream body) => "spare"),
        });

        (await PostAsync(service, "/", new ByteArrayContent(new byte[200]))).ShouldHaveFailed(413);
    }

    private static async Task<Answer> PostAsync(TestService service, string path, HttpContent content, Wire wire = Wire.Http1)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = content };
        return await Answer.OfAsync(await service.SendAsync(request, wire));
    }

    private static async Task ReadAsync(HttpContext context, string how)
    {
        switch (how)
        {
            case "some":
                await context.Request.Body.ReadExactlyAsync(new byte[100]);
                break;
            case "all":
                await context.Request.Body.CopyToAsync(Stream.Null);
                break;
            case "twice":
                await context.Request.Body.ReadExactlyAsync(new byte[100]);
                await context.Request.BodyReader.CopyToAsync(Stream.Null);
                break;
            case "reader":
                await context.Request.BodyReader.CopyToAsync(Stream.Null);
                break;
            case "reader some":
                var result = await context.Request.BodyReader.ReadAsync();
                context.Request.BodyReader.AdvanceTo(result.Buffer.GetPosition(50), result.Buffer.End);
                break;
            case "buffering":
                context.Request.EnableBuffering();
                await context.Request.Body.CopyToAsync(Stream.Null);
                break;
            case "sync copy":
                context.Features.GetRequiredFeature<IHttpBodyControlFeature>().AllowSynchronousIO = true;
                _ = context.Request.Body.Read(new byte[777]);
                break;
        }
    }

    private sealed record Order(string Name);

    private sealed class ChunkedContent(byte[] bytes) : HttpContent
    {
        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            foreach (var chunk in bytes.Chunk(10_000))
            {
                await stream.WriteAsync(chunk);
                await stream.FlushAsync();
            }
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
