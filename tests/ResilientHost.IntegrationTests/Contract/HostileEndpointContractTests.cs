using ResilientHost.IntegrationTests.Fallbacks;

namespace ResilientHost.IntegrationTests.Contract;

/// <summary>Endpoints and fallbacks that leave a mess behind: the caller gets one whole answer, or a broken connection, and never a mixture.</summary>
public sealed class HostileEndpointContractTests
{
    [Theory, OverBothWires]
    public async Task Endpoint_LeavesItsOwnBodyStreamBehind_TheFallbackReachesTheCaller(Wire wire)
    {
        await using var service = await TestService.StartAsync(app => app.MapGet("/", async (HttpContext context) =>
        {
            context.Response.Body = new MemoryStream();
            await context.Response.WriteAsync("into nowhere");
            throw new InvalidOperationException();
        }).WithFallback(() => "spare"));

        (await Answer.OfAsync(service, "/", wire)).ShouldBe(Answer.Spare());
        (await Answer.OfAsync(service, "/", wire)).ShouldBe(Answer.Spare());
    }

    [Theory, OverBothWires]
    public async Task Endpoint_ThrowsWithBytesInTheWriter_NothingIsMixed(Wire wire)
    {
        await using var service = await TestService.StartAsync(app => app.MapGet("/", string (HttpContext context) =>
        {
            "half "u8.CopyTo(context.Response.BodyWriter.GetSpan(5));
            context.Response.BodyWriter.Advance(5);
            throw new InvalidOperationException();
        }).WithFallback(() => "spare"));

        await ShouldBeWholeOrBrokenAsync(service, wire, body => body == "spare");
    }

    [Theory, OverBothWires]
    public async Task Fallback_ThrowsWithBytesInTheWriter_NothingIsMixed(Wire wire)
    {
        var broken = false;
        await using var service = await TestService.StartAsync(app => app.MapGet("/", () => broken ? throw new InvalidOperationException() : "real").WithFallback(string (HttpContext context) =>
        {
            "half "u8.CopyTo(context.Response.BodyWriter.GetSpan(5));
            context.Response.BodyWriter.Advance(5);
            throw new InvalidOperationException();
        }).WithStaleFallback(TimeSpan.FromMinutes(1)));
        (await service.StatusOfAsync("/", wire)).ShouldBe(200);
        broken = true;

        await ShouldBeWholeOrBrokenAsync(service, wire, body => body == "real" || body.StartsWith('{'));
    }

    [Theory]
    [InlineData(true, Wire.Http1)]
    [InlineData(true, Wire.Http2)]
    [InlineData(false, Wire.Http1)]
    [InlineData(false, Wire.Http2)]
    public async Task Endpoint_WritesOnInTheBackgroundAfterItFailed_ReachesNobody(bool throws, Wire wire)
    {
        var gate = new Gate();
        var background = Task.CompletedTask;
        await using var service = await TestService.StartAsync(app => app.MapGet("/", IResult (HttpContext context) =>
        {
            var body = context.Response.Body;
            background = Task.Run(async () =>
            {
                await gate.PassAsync();
                await body.WriteAsync("late "u8.ToArray());
                await body.FlushAsync();
            });
            return throws ? throw new InvalidOperationException() : Results.StatusCode(503);
        }).WithFallback(async () =>
        {
            gate.Open();
            await background.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return "spare";
        }));

        (await Answer.OfAsync(service, "/", wire)).ShouldBe(Answer.Spare());
        background.IsFaulted.ShouldBeTrue();
    }

    [Theory, OverBothWires]
    public async Task Endpoint_ItsStartCallbackThrows_TheCallerGetsOneAnswer(Wire wire)
    {
        await using var service = await TestService.StartAsync(app => app.MapGet("/", string (HttpContext context) =>
        {
            context.Response.OnStarting(() => throw new InvalidOperationException("of the callback"));
            throw new InvalidOperationException("of the endpoint");
        }).WithFallback(() => "spare"));

        await ShouldBeWholeOrBrokenAsync(service, wire, body => body is "spare" or "" || body.StartsWith('{'));
        await service.NothingHeldAsync();
    }

    [Theory, OverBothWires]
    public async Task InnerMiddleware_ThatThrowsOnItsWayOut_IsTheEndpointsFailure(Wire wire)
    {
        await using var service = await TestService.StartAsync(app =>
        {
            app.Use(async (context, next) =>
            {
                await next(context);
                if (context.Request.Path == "/")
                {
                    throw new InvalidOperationException("after the endpoint");
                }
            });
            app.MapGet("/", (HttpContext context) =>
            {
                context.Response.Headers["X-Endpoint"] = "yes";
            }).WithFallback(() => "spare");
        });

        using var response = await service.GetAsync("/", wire);
        response.Headers.Contains("X-Endpoint").ShouldBeFalse();
        (await Answer.OfAsync(response)).ShouldBe(Answer.Spare());
    }

    [Theory, OverBothWires]
    public async Task Client_LeavesWhileTheFallbackRuns_NothingIsHeldNorSaid(Wire wire)
    {
        var gate = new Gate();
        await using var service = await TestService.StartAsync(app => app.MapGet("/", string () => throw new TimeoutException()).WithFallback(async Task<string> (CancellationToken token) =>
        {
            await gate.PassAsync(token);
            return "spare";
        }));
        using var leaving = new CancellationTokenSource();
        var request = service.Client(wire).GetAsync("/", leaving.Token);
        await gate.ArrivalAsync();
        await leaving.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => request);

        await TestService.EventuallyAsync(async () => (await DelegateFallbackTests.FallbackAsync(service, "GET /")).GetProperty("inFlight").GetInt32() == 0, "the place given back");
        await service.NothingHeldAsync();
        var status = await DelegateFallbackTests.FallbackAsync(service, "GET /");
        status.GetProperty("failed").GetInt64().ShouldBe(0);
        status.GetProperty("delegate").GetInt64().ShouldBe(0);
    }

    [Theory, OverBothWires]
    public async Task Timeouts_RacingTheirHandlers_EveryAnswerIsWholeAndItsOwn(Wire wire)
    {
        await using var service = await TestService.StartAsync(
            app => app.MapGet("/{id:int}", async (int id, CancellationToken token) =>
            {
                using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(1 + (id % 8)));
                await timer.WaitForNextTickAsync(id % 3 == 0 ? CancellationToken.None : token);
                return $"real {id}";
            }).WithTimeout(TimeSpan.FromMilliseconds(4)).WithFallback((int id) => $"spare {id}"),
            """{ "Fallbacks": { "MaxConcurrency": 1000 } }""");

        foreach (var round in Enumerable.Range(0, 5))
        {
            var answers = await Task.WhenAll(Enumerable.Range(round * 100, 100).Select(async id => (id, await Answer.OfAsync(service, $"/{id}", wire))));
            foreach (var (id, answer) in answers)
            {
                answer.ShouldBeOneOf(Answer.Real($"real {id}"), Answer.Spare($"spare {id}"));
            }
        }

        await service.NothingHeldAsync();
        service.ShouldHaveLoggedNoError();
    }

    private static async Task ShouldBeWholeOrBrokenAsync(TestService service, Wire wire, Func<string, bool> isWhole)
    {
        for (var i = 0; i < 2; i++)
        {
            string body;
            try
            {
                using var response = await service.GetAsync("/", wire);
                body = await response.Content.ReadAsStringAsync();
            }
            catch (HttpRequestException)
            {
                continue;
            }

            isWhole(body).ShouldBeTrue(body);
        }
    }
}
