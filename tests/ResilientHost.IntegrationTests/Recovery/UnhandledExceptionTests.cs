using System.Diagnostics;
using System.Security.Claims;
using System.Text.RegularExpressions;

namespace ResilientHost.IntegrationTests.Recovery;

public sealed class UnhandledExceptionTests
{
    private static void MapThrowing(WebApplication app)
    {
        app.MapGet("/sync", string () => throw new InvalidOperationException("sync"));
        app.MapGet("/async", async Task<string> () =>
        {
            await Task.Yield();
            throw new InvalidOperationException("async");
        });
        app.MapGet("/timeout", string () => throw new TimeoutException("slow dependency"));
        app.MapGet("/not-implemented", Task<string> () => Task.FromException<string>(Activator.CreateInstance<NotImplementedException>()));
        app.MapGet("/bad-request", string () => throw new BadHttpRequestException("bad", StatusCodes.Status422UnprocessableEntity));
        app.MapGet("/key", string () => throw new KeyNotFoundException("no such product"));
        app.MapGet("/faulted", Task<string> () => Task.FromException<string>(new InvalidOperationException("faulted")));
        app.MapGet("/cancelled", Task<string> () => Task.FromCanceled<string>(new CancellationToken(canceled: true)));
        app.MapPost("/body", async (HttpContext context) => await new StreamReader(context.Request.Body).ReadToEndAsync());
    }

    [Theory]
    [InlineData(Wire.Http1, "/sync")]
    [InlineData(Wire.Http1, "/async")]
    [InlineData(Wire.Http1, "/faulted")]
    [InlineData(Wire.Http2, "/sync")]
    [InlineData(Wire.Http2, "/async")]
    [InlineData(Wire.Http2, "/faulted")]
    public async Task Endpoint_Throws_AnswersProblem500(Wire wire, string path)
    {
        await using var service = await TestService.StartAsync(MapThrowing);
        using var response = await service.GetAsync(path, wire);
        await response.ShouldBeProblemAsync(500, "unhandled_exception");
    }

    [Theory, OverBothWires]
    public async Task Endpoint_CancelsItselfWhileTheClientWaits_IsAFailureNotAnAbort(Wire wire)
    {
        await using var service = await TestService.StartAsync(MapThrowing);
        using var response = await service.GetAsync("/cancelled", wire);
        await response.ShouldBeProblemAsync(500, "unhandled_exception");
        (await service.BreakerAsync("GET /cancelled")).GetProperty("failureRatio").GetDouble().ShouldBe(1);
    }

    [Theory]
    [InlineData("/timeout", 504)]
    [InlineData("/not-implemented", 501)]
    [InlineData("/bad-request", 422)]
    public async Task Endpoint_ThrowsWhatIsMappedByDefault_AnswersThatStatus(string path, int status)
    {
        await using var service = await TestService.StartAsync(MapThrowing);
        using var response = await service.GetAsync(path);
        await response.ShouldBeProblemAsync(status, "unhandled_exception");
    }

    [Theory, OverBothWires]
    public async Task Endpoint_ThrowsWhatConfigurationMaps_AnswersThatStatus(Wire wire)
    {
        await using var service = await TestService.StartAsync(MapThrowing, """{ "Recovery": { "StatusCodes": { "System.Collections.Generic.KeyNotFoundException": 404 } } }""");
        using var response = await service.GetAsync("/key", wire);
        await response.ShouldBeProblemAsync(404, "unhandled_exception");
    }

    [Fact]
    public async Task RequestBody_BeyondTheServersLimit_Keeps413()
    {
        await using var service = await TestService.StartAsync(new TestServiceSetup
        {
            Builder = builder => builder.Services.Configure<Microsoft.AspNetCore.Server.Kestrel.Core.KestrelServerOptions>(kestrel => kestrel.Limits.MaxRequestBodySize = 10),
            Endpoints = MapThrowing,
        });
        using var connection = await service.ConnectAsync();
        await connection.SendAsync("POST /body HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 11\r\n\r\n01234567890");
        var answer = await connection.ReadToEndAsync();
        answer.ShouldStartWith("HTTP/1.1 413 ");
        answer.ShouldContain("unhandled_exception");
    }

    [Theory, OverBothWires]
    public async Task Problem_CallerSentTraceparent_NamesThatTrace(Wire wire)
    {
        await using var service = await TestService.StartAsync(MapThrowing);
        var traceId = ActivityTraceId.CreateRandom().ToHexString();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/sync");
        request.Headers.Add("traceparent", $"00-{traceId}-{ActivitySpanId.CreateRandom().ToHexString()}-01");
        using var response = await service.SendAsync(request, wire);
        (await response.ShouldBeProblemAsync(500, "unhandled_exception")).ShouldHaveTraceId().ShouldBe(traceId);
    }

    [Fact]
    public async Task Problem_NobodyTraces_StillHasATraceId()
    {
        await using var service = await TestService.StartAsync(new TestServiceSetup
        {
            Builder = builder => builder.Logging.ClearProviders(),
            Endpoints = MapThrowing,
        });
        using var response = await service.GetAsync("/sync");
        await response.ShouldBeProblemAsync(500, "unhandled_exception");
    }

    [Fact]
    public async Task Problem_ManualTime_CarriesThatTime()
    {
        await using var service = await TestService.StartAsync(MapThrowing, time: new ManualTimeProvider());
        using var response = await service.GetAsync("/sync");
        var problem = await response.ShouldBeProblemAsync(500, "unhandled_exception");
        problem.GetProperty("timestamp").GetDateTimeOffset().ShouldBe(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero));
    }

    [Fact]
    public async Task Head_EndpointThrows_HasNoBody()
    {
        await using var service = await TestService.StartAsync(app => app.MapMethods("/head", ["HEAD"], string () => throw new InvalidOperationException("head")));
        using var connection = await service.ConnectAsync();
        var answer = await connection.RequestAsync("HEAD", "/head");
        answer.ShouldStartWith("HTTP/1.1 500 ");
        answer.ShouldEndWith("\r\n\r\n");
        answer.ShouldContain("Cache-Control: no-store");
    }

    [Fact]
    public async Task Head_EndpointThrowsOverHttp2_HasNoBody()
    {
        await using var service = await TestService.StartAsync(app => app.MapMethods("/head", ["HEAD"], string () => throw new InvalidOperationException("head")));
        using var request = new HttpRequestMessage(HttpMethod.Head, "/head");
        using var response = await service.SendAsync(request, Wire.Http2);
        response.StatusCode.ShouldBe(HttpStatusCode.InternalServerError);
        (await response.Content.ReadAsByteArrayAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task Endpoint_Throws_IsLoggedOnceWithItsContext()
    {
        await using var service = await TestService.StartAsync(new TestServiceSetup
        {
            Configuration = """{ "CircuitBreakers": { "catalog": { } } }""",
            Outside = app => app.Use((context, next) =>
            {
                context.User = new ClaimsPrincipal(new ClaimsIdentity([new Claim(ClaimTypes.NameIdentifier, "canary-user"), new Claim(ClaimTypes.Name, "canary-user")], "test"));
                return next(context);
            }),
            Endpoints = app => app.MapGet("/products/{id:int}", string (int id) => throw new InvalidOperationException("marker-context")).WithCircuitBreaker("catalog"),
        });
        using var request = new HttpRequestMessage(HttpMethod.Get, "/products/7");
        request.Headers.Add("X-Request-ID", "request-4711");
        using var response = await service.SendAsync(request);
        var traceId = (await response.ShouldBeProblemAsync(500, "unhandled_exception")).ShouldHaveTraceId();

        var log = await service.OneLogAboutAsync("marker-context");
        log.Level.ShouldBe(LogLevel.Error);
        var text = log.Message + string.Join(' ', log.State.Select(pair => $"{pair.Key}={pair.Value}"));
        text.ShouldContain("/products/{id");
        text.ShouldContain("request-4711");
        text.ShouldContain(traceId);
        text.ShouldContain("catalog", Case.Sensitive, "the state of the layers");
        text.ShouldNotContain("canary-user", Case.Sensitive, "nobody allowed user ids in the log");
        service.Logs.Entries.Count(entry => entry.Level >= LogLevel.Error && entry.Category.StartsWith("Microsoft", StringComparison.Ordinal)).ShouldBe(0);
    }

    [Fact]
    public async Task Storm_OfOneFingerprint_IsOneFullEntryAndOneSummary()
    {
        var time = new ManualTimeProvider();
        await using var service = await TestService.StartAsync(MapThrowing, time: time);
        for (var i = 0; i < 50; i++)
        {
            (await service.StatusOfAsync("/async")).ShouldBe(500);
        }

        await service.Logs.WaitForAsync(entry => entry.Level == LogLevel.Error, TestService.Patience);
        service.LoudLogs.Count(entry => entry.Level == LogLevel.Error).ShouldBe(1);
        service.ExceptionsOf("endpoint").ShouldBe(50);

        time.Advance(TimeSpan.FromSeconds(11));
        (await service.StatusOfAsync("/async")).ShouldBe(500);
        await service.Logs.WaitForAsync(IsSummary, TestService.Patience);
        service.Logs.Entries.Count(IsSummary).ShouldBe(1);

        static bool IsSummary(RecordedLog entry) =>
            entry.Category.StartsWith("ResilientHost", StringComparison.Ordinal) && Regex.IsMatch(entry.Message, @"\b49\b", RegexOptions.None, TestService.Patience);
    }

    [Fact]
    public async Task Storm_OfTwoEndpoints_LogsTheFirstOfEach()
    {
        await using var service = await TestService.StartAsync(MapThrowing, time: new ManualTimeProvider());
        foreach (var path in (string[])["/sync", "/async", "/sync", "/async"])
        {
            (await service.StatusOfAsync(path)).ShouldBe(500);
        }

        await service.Logs.WaitUntilAsync(_ => service.LoudLogs.Count(entry => entry.Level == LogLevel.Error) == 2, TestService.Patience);
    }
}
