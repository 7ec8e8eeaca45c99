using System.Net.WebSockets;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.Timeouts;
using ResilientHost.IntegrationTests.Fallbacks;

namespace ResilientHost.IntegrationTests.Contract;

/// <summary>The section "Timeouts", sentence by sentence.</summary>
public sealed class TimeoutContractTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private readonly ManualTimeProvider _time = new();
    private readonly Gate _gate = new();

    [Theory, OverBothWires]
    public async Task Expired_ConnectionIsKeptAndTheNextRequestIsItsOwn(Wire wire)
    {
        var connections = new List<string>();
        CancellationToken leaked = default;
        await using var service = await TestService.StartAsync(
            app =>
            {
                app.MapGet("/slow", (HttpContext context) =>
                {
                    connections.Add(context.Connection.Id);
                    return _gate.PassAsync(context.RequestAborted);
                }).WithTimeout(2 * Second);
                app.MapGet("/next", async (HttpContext context) =>
                {
                    connections.Add(context.Connection.Id);
                    leaked = context.RequestAborted;
                    await Task.Yield();
                    return $"{context.RequestAborted.IsCancellationRequested}";
                }).WithTimeout(2 * Second);
            },
            time: _time);
        for (var i = 0; i < 3; i++)
        {
            var slow = service.GetAsync("/slow", wire);
            await _gate.ArrivalAsync();
            _time.Advance(2 * Second);
            await (await slow).ShouldBeProblemAsync(504, "timeout");
            (await Answer.OfAsync(service, "/next", wire)).ShouldBe(Answer.Real("False"));
        }

        connections.Distinct().Count().ShouldBe(1);
        leaked.IsCancellationRequested.ShouldBeFalse("The token of a request that has ended is not cancelled by the timeout of another.");
    }

    [Fact]
    public async Task Overrun_OverHttp2_ResetsTheStreamAndNotItsNeighbours()
    {
        var connections = new List<string>();
        var neighbour = new Gate();
        await using var service = await TestService.StartAsync(
            app =>
            {
                app.MapGet("/ignores", (HttpContext context) =>
                {
                    connections.Add(context.Connection.Id);
                    return _gate.PassAsync();
                }).WithTimeout(2 * Second);
                app.MapGet("/neighbour", async (HttpContext context) =>
                {
                    connections.Add(context.Connection.Id);
                    await neighbour.PassAsync(context.RequestAborted);
                    return "real";
                });
            },
            time: _time);
        var good = Answer.OfAsync(service, "/neighbour", Wire.Http2);
        await neighbour.ArrivalAsync();
        var bad = service.GetAsync("/ignores", Wire.Http2);
        await _gate.ArrivalAsync();
        _time.Advance(2 * Second);
        _time.Advance(Second);
        await Should.ThrowAsync<HttpRequestException>(() => bad);

        neighbour.Open();
        (await good).ShouldBe(Answer.Real());
        _gate.Open();
        (await Answer.OfAsync(service, "/neighbour", Wire.Http2)).ShouldBe(Answer.Real());
        connections.Distinct().Count().ShouldBe(1);
        await service.NothingHeldAsync();
    }

    [Fact]
    public async Task Overrun_PipelinedRequests_NeverGetTheLateAnswer()
    {
        await using var service = await TestService.StartAsync(
            app =>
            {
                app.MapGet("/ignores", async () =>
                {
                    await _gate.PassAsync();
                    return "late answer";
                }).WithTimeout(2 * Second);
                app.MapGet("/next", () => "next answer");
            },
            time: _time);
        using var connection = await service.ConnectAsync();
        await connection.SendAsync("GET /ignores HTTP/1.1\r\nHost: localhost\r\n\r\nGET /next HTTP/1.1\r\nHost: localhost\r\n\r\n");
        await _gate.ArrivalAsync();
        _time.Advance(2 * Second);
        _time.Advance(Second);

        (await connection.ReadToEndAsync()).Replace("<reset>", "", StringComparison.Ordinal).ShouldBeEmpty();
        _gate.Open();
        await service.NothingHeldAsync();
        (await Answer.OfAsync(service, "/next")).ShouldBe(Answer.Real("next answer"));
    }

    [Theory, OverBothWires]
    public async Task Overrun_OfAHandlerThatBlocksItsThread_IsAbortedAndNoFallbackRunsBesideIt(Wire wire)
    {
        using var blocked = new ManualResetEventSlim();
        var spares = 0;
        await using var service = await TestService.StartAsync(
            app => app.MapGet("/", string () =>
            {
                _ = _gate.PassAsync();
                blocked.Wait(TestService.Patience);
                throw new InvalidOperationException("late");
            }).WithTimeout(2 * Second).WithBulkhead("one").WithFallback(() =>
            {
                spares++;
                return "spare";
            }),
            """{ "Bulkheads": { "one": {} } }""",
            _time);
        var request = service.GetAsync("/", wire);
        await _gate.ArrivalAsync();
        _time.Advance(2 * Second);
        _time.Advance(Second);
        await Should.ThrowAsync<HttpRequestException>(() => request);
        (await service.InFlightAsync("one")).ShouldBe(1);
        spares.ShouldBe(0);
        blocked.Set();
        await service.NothingHeldAsync();
        (await DelegateFallbackTests.FallbackAsync(service, "GET /")).GetProperty("delegate").GetInt64().ShouldBe(0);
    }

    [Theory, OverBothWires]
    public async Task Expired_HandlerStillAnswersWithinTheGrace_ItsAnswerStandsWhole(Wire wire)
    {
        await using var service = await TestService.StartAsync(
            app => app.MapGet("/", async (HttpContext context) =>
            {
                await _gate.PassAsync();
                await context.Response.WriteAsync("late, but ");
                await context.Response.Body.FlushAsync();
                await context.Response.WriteAsync("whole");
            }).WithTimeout(2 * Second),
            time: _time);
        var request = Answer.OfAsync(service, "/", wire);
        await _gate.ArrivalAsync();
        _time.Advance(2 * Second);
        _gate.Open();

        (await request).ShouldBe(Answer.Real("late, but whole"));
        await service.NothingHeldAsync();
    }

    [Theory, OverBothWires]
    public async Task Expired_HandlerAnswers503WithinTheGrace_IsA504OrWhatItSaid(Wire wire)
    {
        await using var service = await TestService.StartAsync(
            app => app.MapGet("/", async (HttpContext context) =>
            {
                try
                {
                    await _gate.PassAsync(context.RequestAborted);
                }
                catch (OperationCanceledException)
                {
                }

                context.Response.StatusCode = 503;
                context.Response.Headers.RetryAfter = "7";
            }).WithTimeout(2 * Second),
            time: _time);
        var request = service.GetAsync("/", wire);
        await _gate.ArrivalAsync();
        _time.Advance(2 * Second);

        await (await request).ShouldBeProblemAsync(504, "timeout");
    }

    [Fact]
    public async Task Queueing_AtTheBulkhead_TakesNothingFromTheTimeout()
    {
        await using var service = await TestService.StartAsync(
            app => app.MapGet("/{id}", (CancellationToken token) => _gate.PassAsync(token)).WithTimeout(10 * Second).WithBulkhead("one"),
            """{ "Bulkheads": { "one": { "MaxConcurrency": 1, "QueueLength": 1, "QueueTimeout": "00:01:00" } } }""",
            _time);
        var first = service.StatusOfAsync("/1");
        await _gate.ArrivalAsync();
        _time.Advance(4 * Second);
        var second = service.StatusOfAsync("/2");
        await service.QueuedAsync("one", 1);
        _time.Advance(6 * Second);
        (await first).ShouldBe(504);
        await _gate.ArrivalAsync();
        _time.Advance(9 * Second);
        second.IsCompleted.ShouldBeFalse();
        _time.Advance(Second);
        (await second).ShouldBe(504);
    }

    [Fact]
    public async Task Expired_WhileTheBodyDrips_Is504()
    {
        await using var service = await TestService.StartAsync(
            app => app.MapPost("/", async (HttpContext context) =>
            {
                _ = _gate.PassAsync();
                using var reader = new StreamReader(context.Request.Body);
                return await reader.ReadToEndAsync(context.RequestAborted);
            }).WithTimeout(2 * Second),
            time: _time);
        using var connection = await service.ConnectAsync();
        await connection.SendAsync("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nhalf");
        await _gate.ArrivalAsync();
        _time.Advance(2 * Second);

        (await connection.ReadUntilAsync("\r\n\r\n")).ShouldStartWith("HTTP/1.1 504");
        await service.NothingHeldAsync();
    }

    [Fact]
    public async Task Expired_OuterMiddlewareStillHasARequestThatLives()
    {
        var cancelled = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var service = await TestService.StartAsync(new TestServiceSetup
        {
            Time = _time,
            Outside = app => app.Use(async (context, next) =>
            {
                var lifetime = context.Features.Get<IHttpRequestLifetimeFeature>();
                await next(context);
                if (context.Request.Path == "/")
                {
                    cancelled.TrySetResult(context.RequestAborted.IsCancellationRequested || !ReferenceEquals(lifetime, context.Features.Get<IHttpRequestLifetimeFeature>()));
                }
            }),
            Endpoints = app => app.MapGet("/", (CancellationToken token) => _gate.PassAsync(token)).WithTimeout(2 * Second),
        });
        var request = service.StatusOfAsync("/");
        await _gate.ArrivalAsync();
        _time.Advance(2 * Second);
        (await request).ShouldBe(504);
        await service.NothingHeldAsync();
        (await cancelled.Task.WaitAsync(TestService.Patience)).ShouldBeFalse();
    }

    [Fact]
    public async Task Expired_AndTheClientLeavesInTheGrace_NothingIsHeldOrLoggedAsError()
    {
        await using var service = await TestService.StartAsync(
            app => app.MapGet("/", () => _gate.PassAsync()).WithTimeout(2 * Second).WithBulkhead("one"),
            """{ "Bulkheads": { "one": {} } }""",
            _time);
        var connection = await service.ConnectAsync();
        await connection.SendAsync("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
        await _gate.ArrivalAsync();
        _time.Advance(2 * Second);
        connection.Reset();
        _time.Advance(Second);
        _gate.Open();
        await service.NothingHeldAsync();
        service.ShouldHaveLoggedNoError();
    }

    [Fact]
    public async Task TokenCallback_Blocks_TheGraceStillRunsOut()
    {
        using var blocked = new ManualResetEventSlim();
        await using var service = await TestService.StartAsync(
            app => app.MapGet("/", async (CancellationToken token) =>
            {
                await using var registration = token.Register(() => blocked.Wait(TestService.Patience));
                await _gate.PassAsync(CancellationToken.None);
            }).WithTimeout(2 * Second),
            time: _time);
        var request = service.GetAsync("/");
        await _gate.ArrivalAsync();
        var firing = Task.Run(() => _time.Advance(2 * Second));
        await service.Metrics.WaitForAsync(measurement => measurement.Instrument == ResilienceDiagnostics.Instruments.TimeoutExpired, TestService.Patience);
        _time.Advance(Second);
        await Should.ThrowAsync<HttpRequestException>(() => request);
        blocked.Set();
        _gate.Open();
        await firing;
        await service.NothingHeldAsync();
    }

    [Fact]
    public async Task WebSocket_UnderADefaultTimeout_LivesOn()
    {
        await using var service = await TestService.StartAsync(new TestServiceSetup
        {
            Time = _time,
            Configuration = """{ "Timeouts": { "Default": "00:00:02" } }""",
            Outside = app => app.UseWebSockets(),
            Endpoints = app => app.Map("/ws", async (HttpContext context) =>
            {
                using var socket = await context.WebSockets.AcceptWebSocketAsync();
                var buffer = new byte[10];
                while (await socket.ReceiveAsync(buffer, context.RequestAborted) is { MessageType: not WebSocketMessageType.Close } message)
                {
                    await socket.SendAsync(buffer.AsMemory(0, message.Count), WebSocketMessageType.Text, true, context.RequestAborted);
                }
            }),
        });
        using var client = new ClientWebSocket();
        await client.ConnectAsync(new UriBuilder(service.Client().BaseAddress!) { Scheme = "ws", Path = "/ws" }.Uri, CancellationToken.None);
        for (var i = 0; i < 3; i++)
        {
            _time.Advance(10 * Second);
            await client.SendAsync("ping"u8.ToArray(), WebSocketMessageType.Text, true, CancellationToken.None);
            (await client.ReceiveAsync(new byte[10], CancellationToken.None)).Count.ShouldBe(4);
        }

        service.Metrics.Sum(ResilienceDiagnostics.Instruments.TimeoutExpired).ShouldBe(0);
    }

    [Fact]
    public async Task Metadata_NearestWinsAndTheFrameworksBeatsOurs()
    {
        await using var service = await TestService.StartAsync(
            app =>
            {
                var group = app.MapGroup("/g").WithTimeout(5 * Second);
                group.MapGet("/group", (CancellationToken token) => _gate.PassAsync(token));
                group.MapGet("/attribute", [Timeout("00:00:03")] (CancellationToken token) => _gate.PassAsync(token));
                group.MapGet("/own", [Timeout("00:00:03")] (CancellationToken token) => _gate.PassAsync(token)).WithTimeout(2 * Second);
                group.MapGet("/stock", [RequestTimeout(60_000)] (CancellationToken token) => _gate.PassAsync(token));
                group.MapGroup("/inner").WithTimeout(4 * Second).MapGet("/", (CancellationToken token) => _gate.PassAsync(token));
            },
            """{ "Timeouts": { "Default": "00:00:01" } }""",
            _time);
        string[] paths = ["/g/own", "/g/attribute", "/g/inner/", "/g/group", "/g/stock"];
        var requests = new List<Task<int>>();
        foreach (var path in paths)
        {
            requests.Add(service.StatusOfAsync(path));
            await _gate.ArrivalAsync();
        }

        for (var second = 1; second <= 5; second++)
        {
            _time.Advance(Second);
            if (second > 1)
            {
                (await requests[second - 2]).ShouldBe(504, paths[second - 2]);
            }

            requests.Skip(Math.Max(second - 1, 0)).ShouldAllBe(request => !request.IsCompleted);
        }

        _time.Advance(10 * Second);
        _gate.Open();
        (await requests[^1]).ShouldBe(200);
    }

    [Theory]
    [InlineData("2")]
    [InlineData("00:00")]
    [InlineData("")]
    [InlineData("25:00:00")]
    public async Task Attribute_WithABadDuration_FailsTheStart(string duration) =>
        (await TestService.FailToStartAsync(new TestServiceSetup { Endpoints = app => app.MapGet("/", () => "ok").WithMetadata(new TimeoutAttribute(duration)) })).ShouldContain("imeout");

    [Fact]
    public void WithTimeout_OutOfBounds_IsRefused()
    {
        var endpoint = WebApplication.CreateSlimBuilder().Build().MapGet("/", () => "x");
        Should.Throw<ArgumentOutOfRangeException>(() => endpoint.WithTimeout(TimeSpan.Zero));
        Should.Throw<ArgumentOutOfRangeException>(() => endpoint.WithTimeout(-2 * Second));
        Should.Throw<ArgumentOutOfRangeException>(() => endpoint.WithTimeout(TimeSpan.FromDays(2)));
    }

    [Fact]
    public async Task EverythingFails_TheCallerStillGetsTheTimeoutsProblem()
    {
        var spare = new Gate();
        await using var service = await TestService.StartAsync(
            app => app.MapGet("/", async Task<string> (CancellationToken token) =>
            {
                try
                {
                    await _gate.PassAsync(token);
                }
                catch (OperationCanceledException cancelled)
                {
                    throw new InvalidOperationException("of the endpoint", cancelled);
                }

                return "never";
            }).WithTimeout(2 * Second).WithFallback(async Task<string> (CancellationToken token) =>
            {
                await spare.PassAsync(token);
                return "never";
            }).WithStaleFallback(TimeSpan.FromMinutes(10)),
            time: _time);
        var request = service.GetAsync("/");
        await _gate.ArrivalAsync();
        _time.Advance(2 * Second);
        await spare.ArrivalAsync();
        _time.Advance(2 * Second);

        await (await request).ShouldBeProblemAsync(504, "timeout");
        (await service.BreakerAsync("GET /")).GetProperty("calls").GetInt32().ShouldBe(1);
        await service.NothingHeldAsync();
    }
}
