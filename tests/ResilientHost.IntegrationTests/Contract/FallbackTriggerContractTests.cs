using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Mvc;

namespace ResilientHost.IntegrationTests.Contract;

/// <summary>"They run when the endpoint throws, is refused, times out, or is about to answer 5xx, and the response has not started."</summary>
public sealed class FallbackTriggerContractTests
{
    [Theory, OverBothWires]
    public async Task Endpoint_ThrowsACancellationThatIsNobodys_IsAFailureLikeAnyOther(Wire wire)
    {
        await using var service = await TestService.StartAsync(app =>
        {
            app.MapGet("/now", string () => throw new OperationCanceledException()).WithFallback(() => "spare");
            app.MapGet("/later", async Task<string> () =>
            {
                await Task.Yield();
                throw new TaskCanceledException("HttpClient.Timeout of 100 seconds elapsing", new TimeoutException());
            }).WithFallback(() => "spare");
        });

        (await Answer.OfAsync(service, "/now", wire)).ShouldBe(Answer.Spare());
        (await Answer.OfAsync(service, "/later", wire)).ShouldBe(Answer.Spare());
    }

    [Theory]
    [InlineData(500, true)]
    [InlineData(501, true)]
    [InlineData(599, true)]
    [InlineData(499, false)]
    [InlineData(429, false)]
    [InlineData(404, false)]
    [InlineData(302, false)]
    public async Task Endpoint_AnswersAStatus_Only5xxIsReplaced(int status, bool isReplaced)
    {
        await using var service = await TestService.StartAsync(app =>
        {
            app.MapGet("/result", () => Results.Text("own", statusCode: status)).WithFallback(() => "spare");
            app.MapGet("/empty", (HttpContext context) =>
            {
                context.Response.StatusCode = status;
            }).WithFallback(() => "spare");
        });
        service.Client().DefaultRequestHeaders.ExpectContinue = false;

        (await Answer.OfAsync(service, "/result")).ShouldBe(isReplaced ? Answer.Spare() : new(status, "own", null));
        (await Answer.OfAsync(service, "/empty")).ShouldBe(isReplaced ? Answer.Spare() : new(status, "", null));
    }

    [Fact]
    public async Task Endpoint_CannotBindTheRequest_400IsTheAnswer()
    {
        await using var service = await TestService.StartAsync(new TestServiceSetup
        {
            Environment = Environments.Development,
            Endpoints = app => app.MapGet("/", (int number) => "real").WithFallback(() => "spare"),
        });

        (await Answer.OfAsync(service, "/?number=none")).ShouldHaveFailed(400);
    }

    [Theory, OverBothWires]
    public async Task Fallback_AfterWhatTheEndpointHadSet_NothingOfItIsLeft(Wire wire)
    {
        await using var service = await TestService.StartAsync(new TestServiceSetup
        {
            Outside = app => app.Use((context, next) =>
            {
                context.Response.Headers["X-Outer"] = "outer";
                return next(context);
            }),
            Endpoints = app => app.MapGet("/", string (HttpContext context) =>
            {
                context.Response.StatusCode = 201;
                context.Features.GetRequiredFeature<IHttpResponseFeature>().ReasonPhrase = "Endpoints Own";
                context.Response.Headers.ETag = "\"e\"";
                context.Response.Headers["X-Endpoint"] = "endpoint";
                context.Response.Headers["X-Outer"] = "changed";
                context.Response.Cookies.Append("a", "b");
                context.Response.ContentLength = 12345;
                context.Response.ContentType = "image/png";
                context.Response.Headers.ContentEncoding = "br";
                throw new InvalidOperationException();
            }).WithFallback(() => Results.Text("spare")),
        });

        using var response = await service.GetAsync("/", wire);

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        if (wire == Wire.Http1)
        {
            response.ReasonPhrase.ShouldBe("OK");
        }

        response.Headers.Contains("ETag").ShouldBeFalse();
        response.Headers.Contains("X-Endpoint").ShouldBeFalse();
        response.Headers.Contains("Set-Cookie").ShouldBeFalse();
        response.Headers.GetValues("X-Outer").ShouldBe(["outer"]);
        response.Content.Headers.ContentEncoding.ShouldBeEmpty();
        response.Content.Headers.ContentType?.MediaType.ShouldBe("text/plain");
        (await response.Content.ReadAsStringAsync()).ShouldBe("spare");
    }

    [Theory, OverBothWires]
    public async Task Endpoint_AnswersAHuge503InPieces_IsReplacedWholly(Wire wire)
    {
        await using var service = await TestService.StartAsync(app => app.MapGet("/", async (HttpContext context) =>
        {
            context.Response.StatusCode = 503;
            context.Response.ContentLength = 64 * 65_536;
            for (var i = 0; i < 64; i++)
            {
                await context.Response.Body.WriteAsync(new byte[65_536]);
                await context.Response.Body.FlushAsync();
            }

            await context.Response.CompleteAsync();
        }).WithFallback(() => "spare"));

        (await Answer.OfAsync(service, "/", wire)).ShouldBe(Answer.Spare());
        (await Answer.OfAsync(service, "/", wire)).ShouldBe(Answer.Spare());
    }

    [Theory, OverBothWires]
    public async Task Endpoint_BeginsA503AndThrows_IsReplaced(Wire wire)
    {
        await using var service = await TestService.StartAsync(app => app.MapGet("/", async (HttpContext context) =>
        {
            context.Response.StatusCode = 503;
            await context.Response.WriteAsync("half of it");
            await context.Response.Body.FlushAsync();
            throw new InvalidOperationException();
        }).WithFallback((FallbackContext fallback) => "spare"));

        (await Answer.OfAsync(service, "/", wire)).ShouldBe(Answer.Spare());
        (await service.BreakerAsync("GET /")).GetProperty("calls").GetInt32().ShouldBe(1);
    }

    [Theory, OverBothWires]
    public async Task Endpoint_BeginsA503AndChangesItsMind_IsReplacedAllTheSame(Wire wire)
    {
        var spareFails = false;
        await using var service = await TestService.StartAsync(app => app.MapGet("/", async (HttpContext context) =>
        {
            context.Response.StatusCode = 503;
            await context.Response.WriteAsync("half of it, ");
            context.Response.StatusCode = 200;
            await context.Response.WriteAsync("the other half");
        }).WithFallback(() => spareFails ? throw new InvalidOperationException() : "spare"));

        (await Answer.OfAsync(service, "/", wire)).ShouldBe(Answer.Spare());
        (await service.BreakerAsync("GET /")).GetProperty("failureRatio").GetDouble().ShouldBe(1);

        // Where there is nothing better, what it wrote goes out under the status it was written under.
        spareFails = true;
        (await Answer.OfAsync(service, "/", wire)).ShouldBe(new(503, "half of it, the other half", null));
    }

    [Theory]
    [InlineData(204)]
    [InlineData(404)]
    [InlineData(302)]
    public async Task Fallback_AnswersBelow500_IsTheAnswer(int status)
    {
        await using var service = await TestService.StartAsync(app => app.MapGet("/", IResult () => throw new InvalidOperationException())
            .WithFallback((HttpContext context) =>
            {
                context.Response.Headers.Location = "/elsewhere";
                return Results.StatusCode(status);
            }));
        using var client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false }) { BaseAddress = service.Client().BaseAddress };

        (await Answer.OfAsync(await client.GetAsync("/"))).ShouldBe(new(status, "", "delegate"));
    }

    [Fact]
    public async Task Fallback_Fails_IsNotCalledAgain()
    {
        var calls = 0;
        await using var service = await TestService.StartAsync(app => app.MapGet("/", string () => throw new InvalidOperationException("of the endpoint"))
            .WithFallback(string () =>
            {
                calls++;
                throw new InvalidOperationException("of the fallback itself");
            }));

        (await Answer.OfAsync(service, "/")).ShouldHaveFailed(500);
        calls.ShouldBe(1);
        service.LogsAbout("of the endpoint").Count.ShouldBe(1);
        service.LogsAbout("of the fallback itself").Count.ShouldBe(1);
    }

    [Fact]
    public async Task FallbackContext_TellsWhyItRuns()
    {
        var thrown = new InvalidOperationException("boom");
        FallbackContext? seen = null;
        await using var service = await TestService.StartAsync(
            app =>
            {
                app.MapGet("/throws", string () => throw thrown).WithFallback(Seen);
                app.MapGet("/answers", () => Results.StatusCode(502)).WithFallback(Seen);
                app.MapGet("/refused", () => "real").WithCircuitBreaker("open").WithFallback(Seen);
                app.MapGet("/delegate", string () => throw thrown).WithFallback((RequestDelegate)(context =>
                {
                    Seen(context.Features.GetRequiredFeature<FallbackContext>());
                    return context.Response.WriteAsync("spare");
                }));

                string Seen(FallbackContext fallback)
                {
                    seen = fallback;
                    return "spare";
                }
            },
            """{ "CircuitBreakers": { "open": { "Mode": "ForcedOpen" } } }""");

        (await Answer.OfAsync(service, "/throws")).ShouldBe(Answer.Spare());
        seen.ShouldNotBeNull().Exception.ShouldBeSameAs(thrown);
        seen.Refusal.ShouldBeNull();
        seen.Level.ShouldBe(ServiceLevel.Normal);
        (await Answer.OfAsync(service, "/delegate")).ShouldBe(Answer.Spare());
        seen.Exception.ShouldBeSameAs(thrown);
        (await Answer.OfAsync(service, "/answers")).ShouldBe(Answer.Spare());
        seen.Exception.ShouldBeNull();
        seen.Refusal.ShouldBeNull();
        (await Answer.OfAsync(service, "/refused")).ShouldBe(Answer.Spare());
        seen.Exception.ShouldBeNull();
        seen.Refusal.ShouldBe(new Refusal(RefusalReason.CircuitOpen, "open", null));
    }

    [Fact]
    public async Task Fallback_BindsLikeAnyHandler()
    {
        await using var service = await TestService.StartAsync(new TestServiceSetup
        {
            Builder = builder =>
            {
                builder.Services.AddScoped<Scoped>();
                builder.Services.AddKeyedSingleton("k", new StringBuilder("keyed"));
            },
            Endpoints = app => app.MapGet("/{id:int}", string (int id, Scoped scoped) => throw new InvalidOperationException(scoped.Id.ToString()))
                .WithFallback((int id, string? q, int[] n, [FromHeader(Name = "X-H")] string header, Scoped scoped, [FromKeyedServices("k")] StringBuilder keyed, [AsParameters] Bag bag, FallbackContext fallback, HttpContext context, CancellationToken token) =>
                    $"{id} {q} {string.Join('+', n)} {header} {keyed} {bag.Page} {fallback.Exception?.Message == scoped.Id.ToString()} {ReferenceEquals(context, fallback.HttpContext)} {token == context.RequestAborted}"),
        });
        using var request = new HttpRequestMessage(HttpMethod.Get, "/7?q=a&n=1&n=2&page=3") { Headers = { { "X-H", "h" } } };

        (await Answer.OfAsync(await service.SendAsync(request))).ShouldBe(Answer.Spare("7 a 1+2 h keyed 3 True True True"));
    }

    [Theory, OverBothWires]
    public async Task ManyStreamsAtOnce_EachGetsItsOwnAnswer(Wire wire)
    {
        await using var service = await TestService.StartAsync(
            app => app.MapGet("/{id:int}", async Task<IResult> (int id, int kind) =>
            {
                await Task.Yield();
                return kind switch
                {
                    0 => Results.Text($"real {id}"),
                    1 => throw new InvalidOperationException(),
                    2 => Results.Text(new string('x', 100_000), statusCode: 503),
                    _ => Results.StatusCode(500),
                };
            }).WithFallback(async (int id) =>
            {
                await Task.Yield();
                return $"spare {id}";
            }),
            """{ "Fallbacks": { "MaxConcurrency": 1000 } }""");

        var answers = await Task.WhenAll(Enumerable.Range(0, 400).Select(async id => (id, await Answer.OfAsync(service, $"/{id}?kind={id % 4}", wire))));

        foreach (var (id, answer) in answers)
        {
            answer.ShouldBe(id % 4 == 0 ? Answer.Real($"real {id}") : Answer.Spare($"spare {id}"));
        }

        await service.NothingHeldAsync();
    }

    [Theory, OverBothWires]
    public async Task Head_EndpointThrows_HasNoBody(Wire wire)
    {
        await using var service = await TestService.StartAsync(app => app.MapMethods("/", ["GET", "HEAD"], string () => throw new InvalidOperationException()).WithFallback(() => "spare"));

        using var response = await service.SendAsync(new HttpRequestMessage(HttpMethod.Head, "/"), wire);

        (await response.Content.ReadAsStringAsync()).ShouldBeEmpty();
        response.Headers.CacheControl.ShouldBe(CacheControlHeaderValue.Parse("no-store"));
        (response.StatusCode == HttpStatusCode.OK).ShouldBe(response.Headers.Contains("Resilience-Fallback"));
    }

    [Fact]
    public async Task OuterMiddleware_SeesTheAnswerThatGoesOut_AndAnUncancelledRequest()
    {
        var seen = "";
        await using var service = await TestService.StartAsync(new TestServiceSetup
        {
            Outside = app => app.Use(async (context, next) =>
            {
                var body = context.Response.Body;
                var aborted = context.RequestAborted;
                await next(context);
                if (context.Request.Path == "/")
                {
                    seen = string.Create(CultureInfo.InvariantCulture, $"{context.Response.StatusCode} {ReferenceEquals(body, context.Response.Body)} {aborted == context.RequestAborted} {aborted.IsCancellationRequested}");
                }
            }),
            Endpoints = app => app.MapGet("/", string () => throw new InvalidOperationException()).WithFallback(() => "spare").WithTimeout(TimeSpan.FromMinutes(1)),
        });

        (await Answer.OfAsync(service, "/")).ShouldBe(Answer.Spare());
        await service.NothingHeldAsync();
        seen.ShouldBe("200 True True False");
    }

    private sealed class Scoped
    {
        public Guid Id { get; } = Guid.NewGuid();
    }

    private readonly record struct Bag(int Page);
}
