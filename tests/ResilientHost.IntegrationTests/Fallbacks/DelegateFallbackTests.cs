using System.Net.Http.Json;
using Microsoft.AspNetCore.Diagnostics;

namespace ResilientHost.IntegrationTests.Fallbacks;

public sealed class DelegateFallbackTests
{
    [Theory, OverBothWires]
    public async Task Fallback_EndpointThrows_AnswersInItsPlace(Wire wire)
    {
        await using var service = await TestService.StartAsync(app => app.MapGet("/items/{id}", string (int id) => throw new InvalidOperationException("boom"))
            .WithFallback((int id, FallbackContext context) => $"spare {id} after {context.Exception?.Message}"));

        using var response = await service.GetAsync("/items/7", wire);

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        (await response.Content.ReadAsStringAsync()).ShouldBe("spare 7 after boom");
        ShouldBeMarked(response, "delegate");
        var fallback = await FallbackAsync(service, "GET /items/{id}");
        fallback.GetProperty("delegate").GetInt64().ShouldBe(1);
        fallback.GetProperty("failed").GetInt64().ShouldBe(0);
        fallback.GetProperty("inFlight").GetInt32().ShouldBe(0);
        (await service.BreakerAsync("GET /items/{id}")).GetProperty("failureRatio").GetDouble().ShouldBe(1);
        service.Metrics.Sum(ResilienceDiagnostics.Instruments.FallbackServed, (ResilienceDiagnostics.Tags.FallbackKind, "delegate")).ShouldBe(1);
        service.ExceptionsOf("endpoint").ShouldBe(1);
        await service.NothingHeldAsync();
    }

    [Fact]
    public async Task Fallback_EndpointThrowsLater_AnswersInItsPlace()
    {
        await using var service = await TestService.StartAsync(app => app.MapGet("/", async Task<string> () =>
        {
            await Task.Yield();
            throw new InvalidOperationException();
        }).WithFallback(() => "spare"));

        (await (await service.GetAsync("/")).Content.ReadAsStringAsync()).ShouldBe("spare");
    }

    [Theory, OverBothWires]
    public async Task Fallback_CircuitOpen_AnswersInPlaceOfTheRefusal(Wire wire)
    {
        await using var service = await TestService.StartAsync(
            app => app.MapGet("/", () => "real").WithCircuitBreaker("orders").WithFallback((FallbackContext context) => $"spare: {context.Refusal?.Reason}"),
            """{ "CircuitBreakers": { "orders": {} } }""");
        service.Services.GetRequiredService<CircuitBreakerRegistry>().Get("orders").Isolate();

        using var response = await service.GetAsync("/", wire);

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        (await response.Content.ReadAsStringAsync()).ShouldBe("spare: CircuitOpen");
        ShouldBeMarked(response, "delegate");
        response.Headers.Contains("Retry-After").ShouldBeFalse();
    }

    [Fact]
    public async Task Fallback_BulkheadFull_AnswersInPlaceOfTheRefusal()
    {
        var gate = new Gate();
        await using var service = await TestService.StartAsync(
            app => app.MapGet("/", async () =>
            {
                await gate.PassAsync();
                return "real";
            }).WithBulkhead("small").WithFallback((FallbackContext context) => $"spare: {context.Refusal?.Reason}"),
            """{ "Bulkheads": { "small": { "MaxConcurrency": 1 } } }""");
        var holder = service.StatusOfAsync("/");
        await gate.ArrivalAsync();

        (await (await service.GetAsync("/")).Content.ReadAsStringAsync()).ShouldBe("spare: BulkheadFull");

        gate.Open();
        (await holder).ShouldBe(200);
        await service.NothingHeldAsync();
    }

    [Theory, OverBothWires]
    public async Task Fallback_EndpointAnswers503WithoutBody_Replaces(Wire wire)
    {
        await using var service = await TestService.StartAsync(app => app.MapGet("/", () => Results.StatusCode(503))
            .WithFallback((FallbackContext context) => $"spare: {context.FailedStatusCode}"));

        using var response = await service.GetAsync("/", wire);

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        (await response.Content.ReadAsStringAsync()).ShouldBe("spare: 503");
    }

    [Theory, OverBothWires]
    public async Task Fallback_EndpointAnswers500WithBody_ReplacesHeadersAndBody(Wire wire)
    {
        await using var service = await TestService.StartAsync(app => app.MapGet("/", async (HttpContext context) =>
        {
            context.Response.StatusCode = 500;
            context.Response.Headers["X-Broken"] = "yes";
            context.Response.ContentLength = 6;
            await context.Response.WriteAsync("broken");
        }).WithFallback(() => Results.Text("spare")));

        using var response = await service.GetAsync("/", wire);

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        (await response.Content.ReadAsStringAsync()).ShouldBe("spare");
        response.Headers.Contains("X-Broken").ShouldBeFalse();
    }

    [Theory]
    [InlineData("throws")]
    [InlineData("answers 502")]
    public async Task Fallback_FailsItself_TheFailureIsAnsweredAsIfThereWereNone(string how)
    {
        await using var service = await TestService.StartAsync(app =>
        {
            IResult Fallback() => how == "throws" ? throw new InvalidOperationException("secret") : Results.Text("worse", statusCode: 502);
            app.MapGet("/throws", string () => throw new TimeoutException()).WithFallback(Fallback);
            app.MapGet("/answers", () => Results.Text("my own 503", statusCode: 503)).WithFallback(Fallback);
        });

        using var thrown = await service.GetAsync("/throws");
        await thrown.ShouldBeProblemAsync(504, "unhandled_exception");
        thrown.Headers.Contains("Resilience-Fallback").ShouldBeFalse();

        using var answered = await service.GetAsync("/answers");
        ((int)answered.StatusCode).ShouldBe(503);
        (await answered.Content.ReadAsStringAsync()).ShouldBe("my own 503");
        answered.Headers.Contains("Resilience-Fallback").ShouldBeFalse();
        answered.Headers.CacheControl.ShouldBeNull();

        (await FallbackAsync(service, "GET /throws")).GetProperty("failed").GetInt64().ShouldBe(1);
        service.Metrics.Sum(ResilienceDiagnostics.Instruments.FallbackFailures, (ResilienceDiagnostics.Tags.FallbackFailure, how == "throws" ? "exception" : "status")).ShouldBe(2);
    }

    [Theory, OverBothWires]
    public async Task Fallback_WritesHalfABody_ConnectionIsAborted(Wire wire)
    {
        await using var service = await TestService.StartAsync(app => app.MapGet("/", string () => throw new InvalidOperationException())
            .WithFallback(async (HttpContext context) =>
            {
                context.Response.ContentLength = 100;
                await context.Response.WriteAsync("half");
                await context.Response.Body.FlushAsync();
                throw new InvalidOperationException("in the middle");
            }));

        await Should.ThrowAsync<HttpRequestException>(() => service.GetAsync("/", wire));
        await service.NothingHeldAsync();
    }

    [Fact]
    public async Task Fallback_AbortsTheConnection_NothingIsHeld()
    {
        await using var service = await TestService.StartAsync(app => app.MapGet("/", string () => throw new InvalidOperationException())
            .WithFallback((HttpContext context) =>
            {
                context.Abort();
                return Task.CompletedTask;
            }));

        await Should.ThrowAsync<HttpRequestException>(() => service.GetAsync("/"));
        await service.NothingHeldAsync();
        (await FallbackAsync(service, "GET /")).GetProperty("inFlight").GetInt32().ShouldBe(0);
    }

    [Theory, OverBothWires]
    public async Task Fallback_TakesTooLong_IsCancelledAndTheFailureAnswered(Wire wire)
    {
        var time = new ManualTimeProvider();
        var gate = new Gate();
        await using var service = await TestService.StartAsync(
            app => app.MapGet("/", string () => throw new InvalidOperationException()).WithFallback((CancellationToken token) => gate.PassAsync(token).ContinueWith(_ => "late", TaskScheduler.Default)),
            """{ "Fallbacks": { "Timeout": "00:00:02" } }""",
            time);
        var request = service.GetAsync("/", wire);
        await gate.ArrivalAsync();
        time.Advance(TimeSpan.FromSeconds(2));

        // It swallows its cancellation and returns an answer before the grace is over: late is better than never.
        (await (await request).Content.ReadAsStringAsync()).ShouldBe("late");
    }

    [Fact]
    public async Task Fallback_IsCancelledAndThrows_TheFailureIsAnswered()
    {
        var time = new ManualTimeProvider();
        var gate = new Gate();
        await using var service = await TestService.StartAsync(
            app => app.MapGet("/", string () => throw new InvalidOperationException()).WithFallback(async Task<string> (CancellationToken token) =>
            {
                await gate.PassAsync(token);
                return "never";
            }),
            time: time);
        var request = service.GetAsync("/");
        await gate.ArrivalAsync();
        time.Advance(TimeSpan.FromSeconds(2));

        await (await request).ShouldBeProblemAsync(500, "unhandled_exception");
        service.Metrics.Sum(ResilienceDiagnostics.Instruments.FallbackFailures, (ResilienceDiagnostics.Tags.FallbackFailure, "timeout")).ShouldBe(1);
    }

    [Theory, OverBothWires]
    public async Task Fallback_Hangs_ConnectionIsAbortedAndItsPlaceHeldUntilItEnds(Wire wire)
    {
        var time = new ManualTimeProvider();
        var gate = new Gate();
        await using var service = await TestService.StartAsync(
            app => app.MapGet("/", string () => throw new InvalidOperationException()).WithFallback(async Task<string> () =>
            {
                await gate.PassAsync();
                return "never";
            }),
            time: time);
        var request = service.GetAsync("/", wire);
        await gate.ArrivalAsync();
        time.Advance(TimeSpan.FromSeconds(2));
        time.Advance(TimeSpan.FromSeconds(1));

        await Should.ThrowAsync<HttpRequestException>(() => request);
        (await FallbackAsync(service, "GET /")).GetProperty("inFlight").GetInt32().ShouldBe(1);
        gate.Open();
        await TestService.EventuallyAsync(async () => (await FallbackAsync(service, "GET /")).GetProperty("inFlight").GetInt32() == 0, "the place given back");
        await service.NothingHeldAsync();
    }

    [Fact]
    public async Task Fallback_MoreThanMayRunAtOnce_AreSkipped()
    {
        var gate = new Gate();
        await using var service = await TestService.StartAsync(
            app => app.MapGet("/", string () => throw new InvalidOperationException()).WithFallback(async Task<string> () =>
            {
                await gate.PassAsync();
                return "spare";
            }),
            """{ "Fallbacks": { "MaxConcurrency": 1 } }""");
        var first = service.GetAsync("/");
        await gate.ArrivalAsync();

        await (await service.GetAsync("/")).ShouldBeProblemAsync(500, "unhandled_exception");
        service.Metrics.Sum(ResilienceDiagnostics.Instruments.FallbackFailures, (ResilienceDiagnostics.Tags.FallbackFailure, "bulkhead_full")).ShouldBe(1);

        gate.Open();
        (await first).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Fallback_AnswerOfAnExceptionHandler_500IsReplacedAnd400Stands()
    {
        await using var service = await TestService.StartAsync(new TestServiceSetup
        {
            Builder = builder => builder.Services.AddExceptionHandler<StatusInMessage>(),
            Endpoints = app =>
            {
                app.MapGet("/{status:int}", string (int status) => throw new InvalidOperationException(status.ToString(System.Globalization.CultureInfo.InvariantCulture)))
                    .WithFallback(() => "spare");
                app.MapGet("/none/{status:int}", string (int status) => throw new InvalidOperationException(status.ToString(System.Globalization.CultureInfo.InvariantCulture)))
                    .WithFallback(string () => throw new InvalidOperationException());
            },
        });

        (await (await service.GetAsync("/503")).Content.ReadAsStringAsync()).ShouldBe("spare");
        using var mapped = await service.GetAsync("/409");
        ((int)mapped.StatusCode).ShouldBe(409);
        (await mapped.Content.ReadAsStringAsync()).ShouldBe("handled as 409");

        // Where the fallback has nothing either, the handler's answer goes out as it was.
        using var kept = await service.GetAsync("/none/503");
        ((int)kept.StatusCode).ShouldBe(503);
        (await kept.Content.ReadAsStringAsync()).ShouldBe("handled as 503");
    }

    [Fact]
    public async Task Fallback_MappedExceptionBelow500_IsFinal()
    {
        await using var service = await TestService.StartAsync(
            app => app.MapGet("/", string () => throw new KeyNotFoundException()).WithFallback(() => "spare"),
            """{ "Recovery": { "StatusCodes": { "System.Collections.Generic.KeyNotFoundException": 404 } } }""");

        await (await service.GetAsync("/")).ShouldBeProblemAsync(404, "unhandled_exception");
    }

    [Theory, OverBothWires]
    public async Task Fallback_HeadAnswered503_IsLeftAlone(Wire wire)
    {
        await using var service = await TestService.StartAsync(app => app.MapMethods("/", ["HEAD"], () => Results.StatusCode(503)).WithFallback(() => "spare"));

        using var response = await service.SendAsync(new HttpRequestMessage(HttpMethod.Head, "/"), wire);

        ((int)response.StatusCode).ShouldBe(503);
        response.Headers.Contains("Resilience-Fallback").ShouldBeFalse();
    }

    [Theory, OverBothWires]
    public async Task Fallback_ResponseHasStarted_IsLeftAloneAndAborted(Wire wire)
    {
        await using var service = await TestService.StartAsync(app => app.MapGet("/", async (HttpContext context) =>
        {
            await context.Response.WriteAsync("begun");
            await context.Response.Body.FlushAsync();
            throw new InvalidOperationException();
        }).WithFallback(() => Results.Text("spare")));

        await Should.ThrowAsync<HttpRequestException>(() => service.GetAsync("/", wire));
        (await FallbackAsync(service, "GET /")).GetProperty("delegate").GetInt64().ShouldBe(0);
    }

    [Fact]
    public async Task Fallback_BindsTheBody_GetsWhatTheEndpointHasRead()
    {
        await using var service = await TestService.StartAsync(app => app.MapPost("/", string (Order order) => throw new InvalidOperationException())
            .WithFallback((Order order) => $"spare for {order.Name}"));

        using var response = await service.Client().PostAsJsonAsync("/", new Order("tea"));
        (await response.Content.ReadAsStringAsync()).ShouldBe("spare for tea");
    }

    [Fact]
    public async Task Fallback_BindsABodyOver64KiB_IsSkippedAndLogged()
    {
        await using var service = await TestService.StartAsync(app => app.MapPost("/", string (Order order) => throw new InvalidOperationException("original"))
            .WithFallback((Order order) => $"spare for {order.Name}"));

        using var response = await service.Client().PostAsJsonAsync("/", new Order(new string('x', 70_000)));

        await response.ShouldBeProblemAsync(500, "unhandled_exception");
        (await service.OneLogAboutAsync("65536")).Level.ShouldBe(LogLevel.Error);
    }

    [Fact]
    public async Task Fallback_BindsTheBodyOfARefusedRequest_ReadsIt()
    {
        await using var service = await TestService.StartAsync(
            app => app.MapPost("/", (Order order) => "real").WithCircuitBreaker("orders").WithFallback((Order order) => $"spare for {order.Name}"),
            """{ "CircuitBreakers": { "orders": {} } }""");
        service.Services.GetRequiredService<CircuitBreakerRegistry>().Get("orders").Isolate();

        using var response = await service.Client().PostAsJsonAsync("/", new Order("tea"));
        (await response.Content.ReadAsStringAsync()).ShouldBe("spare for tea");
    }

    [Fact]
    public async Task Fallback_SwitchedOffAndOn_Reloads()
    {
        await using var service = await TestService.StartAsync(app => app.MapGet("/", string () => throw new InvalidOperationException()).WithFallback(() => "spare"));
        (await service.StatusOfAsync("/")).ShouldBe(200);
        service.Configuration.Replace("""{ "Fallbacks": { "Enabled": false } }""");
        (await service.StatusOfAsync("/")).ShouldBe(500);
        service.Configuration.Replace("{}");
        (await service.StatusOfAsync("/")).ShouldBe(200);
    }

    [Fact]
    public async Task Fallback_RecoveryIsSwitchedOff_StillAnswers()
    {
        await using var service = await TestService.StartAsync(
            app => app.MapGet("/", string () => throw new InvalidOperationException()).WithFallback(() => "spare"),
            """{ "Recovery": { "Enabled": false } }""");
        (await service.StatusOfAsync("/")).ShouldBe(200);
    }

    [Fact]
    public async Task Fallback_OfAGroup_IsBeatenByTheEndpointsOwn()
    {
        await using var service = await TestService.StartAsync(app =>
        {
            var group = app.MapGroup("/g").WithFallback(() => "group");
            group.MapGet("/a", string () => throw new InvalidOperationException());
            group.MapGet("/b", string () => throw new InvalidOperationException()).WithFallback(() => "own");
            group.MapGet("/c", string () => throw new InvalidOperationException()).DisableResilience();
        });

        (await (await service.GetAsync("/g/a")).Content.ReadAsStringAsync()).ShouldBe("group");
        (await (await service.GetAsync("/g/b")).Content.ReadAsStringAsync()).ShouldBe("own");
        (await service.StatusOfAsync("/g/c")).ShouldBe(500);
    }

    [Fact]
    public async Task Fallback_Answer_NeverEntersTheOutputCache()
    {
        var broken = true;
        await using var service = await TestService.StartAsync(new TestServiceSetup
        {
            Builder = builder => builder.Services.AddOutputCache(),
            Outside = app => app.UseRouting().UseOutputCache(),
            Endpoints = app => app.MapGet("/", () => broken ? throw new InvalidOperationException() : "real").CacheOutput().WithFallback(() => "spare"),
        });

        (await (await service.GetAsync("/")).Content.ReadAsStringAsync()).ShouldBe("spare");
        broken = false;
        (await (await service.GetAsync("/")).Content.ReadAsStringAsync()).ShouldBe("real");
        broken = true;
        (await (await service.GetAsync("/")).Content.ReadAsStringAsync()).ShouldBe("real");
    }

    [Theory]
    [InlineData("refused")]
    [InlineData("throws")]
    [InlineData("answers")]
    public async Task Fallback_CutOff_NeverEntersTheOutputCache(string failure)
    {
        var broken = true;
        await using var service = await TestService.StartAsync(new TestServiceSetup
        {
            Configuration = """{ "CircuitBreakers": { "orders": { "MinimumThroughput": 1000 } } }""",
            Builder = builder => builder.Services.AddOutputCache(),
            Outside = app => app.UseRouting().UseOutputCache(),
            Endpoints = app => app.MapGet("/", () => !broken ? Results.Text("real") : failure == "throws" ? throw new InvalidOperationException() : Results.StatusCode(503))
                .CacheOutput().WithCircuitBreaker("orders").WithFallback(async (HttpContext context) =>
                {
                    await context.Response.WriteAsync("half");
                    await context.Response.Body.FlushAsync();
                    throw new InvalidOperationException();
                }),
        });
        var circuit = service.Services.GetRequiredService<CircuitBreakerRegistry>().Get("orders");
        if (failure == "refused")
        {
            circuit.Isolate();
        }

        await Should.ThrowAsync<HttpRequestException>(() => service.GetAsync("/"));

        broken = false;
        circuit.Reset();

        // Whoever asks while the first request still unwinds is told by the output cache what became of it; nobody is ever given half of it.
        await TestService.EventuallyAsync(
            async () =>
            {
                using var response = await service.GetAsync("/");
                var body = await response.Content.ReadAsStringAsync();
                body.ShouldNotContain("half");
                return body == "real";
            },
            "the endpoint's own answer");
    }

    [Fact]
    public async Task Fallback_ItsOwnCacheControl_IsOverruled()
    {
        await using var service = await TestService.StartAsync(app => app.MapGet("/", string () => throw new InvalidOperationException())
            .WithFallback((HttpContext context) =>
            {
                context.Response.Headers.CacheControl = "public, max-age=600";
                return Results.Text("spare");
            }));

        ShouldBeMarked(await service.GetAsync("/"), "delegate");
    }

    [Fact]
    public async Task Fallback_Answers_TheLogOfTheExceptionSaysSo()
    {
        await using var service = await TestService.StartAsync(app => app.MapGet("/", string () => throw new InvalidOperationException("logged once")).WithFallback(() => "spare"));
        (await service.StatusOfAsync("/")).ShouldBe(200);

        var entry = await service.OneLogAboutAsync("logged once");
        entry.Level.ShouldBe(LogLevel.Error);
        entry.Message.ShouldStartWith("GET / (GET) failed with System.InvalidOperationException; a fallback answered in place of 500.");
    }

    [Fact]
    public async Task Fallback_Storm_IsLoggedOnceInFull()
    {
        await using var service = await TestService.StartAsync(app => app.MapGet("/", string () => throw new InvalidOperationException()).WithFallback(() => "spare"));
        for (var i = 0; i < 20; i++)
        {
            (await service.StatusOfAsync("/")).ShouldBe(200);
        }

        service.Logs.Entries.Count(entry => entry.Message.Contains("was answered by its fallback", StringComparison.Ordinal)).ShouldBe(1);
    }

    internal static async Task<JsonElement> FallbackAsync(TestService service, string endpoint) =>
        (await service.StatusAsync()).GetProperty("fallbacks").EnumerateArray().Single(item => item.GetProperty("endpoint").GetString() == endpoint);

    internal static void ShouldBeMarked(HttpResponseMessage response, string kind)
    {
        response.Headers.GetValues("Resilience-Fallback").ShouldBe([kind]);
        response.Headers.NonValidated["Cache-Control"].ToString().ShouldBe("no-store");
    }

    private sealed record Order(string Name);

    private sealed class StatusInMessage : IExceptionHandler
    {
        public async ValueTask<bool> TryHandleAsync(HttpContext httpContext, Exception exception, CancellationToken cancellationToken)
        {
            httpContext.Response.StatusCode = int.Parse(exception.Message, System.Globalization.CultureInfo.InvariantCulture);
            await httpContext.Response.WriteAsync($"handled as {exception.Message}", cancellationToken);
            return true;
        }
    }
}
