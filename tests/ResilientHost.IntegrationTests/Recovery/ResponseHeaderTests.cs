namespace ResilientHost.IntegrationTests.Recovery;

public sealed class ResponseHeaderTests
{
    private static readonly TestServiceSetup Setup = new()
    {
        Builder = builder => builder.Services.AddCors(),
        Outside = app =>
        {
            app.Use((context, next) =>
            {
                context.Response.Headers.StrictTransportSecurity = "max-age=60";
                context.Response.Headers["X-Outer"] = "outer";
                return next(context);
            });
            app.UseCors(policy => policy.WithOrigins("https://shop.example").WithExposedHeaders("X-Outer"));
        },
        Endpoints = app => app.MapGet("/{how}", async (string how, HttpContext context) =>
        {
            var headers = context.Response.Headers;
            headers.ETag = "\"v1\"";
            headers.CacheControl = "public, max-age=600";
            headers.ContentLength = 12_345;
            headers.ContentType = "image/png";
            headers.ContentEncoding = "br";
            headers.SetCookie = "session=secret";
            headers["X-Endpoint"] = "endpoint";
            headers["X-Outer"] = "overwritten";
            context.Response.StatusCode = StatusCodes.Status201Created;
            if (how == "later")
            {
                await Task.Yield();
            }

            throw new InvalidOperationException("headers");
        }),
    };

    [Theory]
    [InlineData(Wire.Http1, "/now")]
    [InlineData(Wire.Http1, "/later")]
    [InlineData(Wire.Http2, "/now")]
    [InlineData(Wire.Http2, "/later")]
    public async Task Problem_HeadersOfTheEndpointGo_ThoseOfOuterMiddlewareStay(Wire wire, string path)
    {
        await using var service = await TestService.StartAsync(Setup);
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Add("Origin", "https://shop.example");
        using var response = await service.SendAsync(request, wire);
        await response.ShouldBeProblemAsync(500, "unhandled_exception");

        response.Headers.ETag.ShouldBeNull();
        response.Headers.Contains("X-Endpoint").ShouldBeFalse();
        response.Headers.Contains("Set-Cookie").ShouldBeFalse();
        response.Content.Headers.ContentEncoding.ShouldBeEmpty();
        response.Headers.GetValues("X-Outer").ShouldBe(["outer"]);
        response.Headers.GetValues("Strict-Transport-Security").ShouldBe(["max-age=60"]);
        response.Headers.GetValues("Access-Control-Allow-Origin").ShouldBe(["https://shop.example"]);
    }

    [Fact]
    public async Task Problem_WithoutOuterHeaders_HasNothingOfTheEndpoint()
    {
        await using var service = await TestService.StartAsync(new TestServiceSetup { Endpoints = Setup.Endpoints });
        using var response = await service.GetAsync("/later");
        await response.ShouldBeProblemAsync(500, "unhandled_exception");
        response.Headers.Contains("X-Endpoint").ShouldBeFalse();
        response.Headers.Contains("X-Outer").ShouldBeFalse();
    }

    [Theory, OverBothWires]
    public async Task RequestId_WhenReceived_IsEchoedOnProblemsAndOnSuccess(Wire wire)
    {
        await using var service = await TestService.StartAsync(app =>
        {
            app.MapGet("/fine", () => "fine");
            app.MapGet("/throw", string () => throw new InvalidOperationException("request id"));
        });
        foreach (var path in (string[])["/fine", "/throw"])
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path);
            request.Headers.Add("X-Request-ID", "abc-123");
            using var response = await service.SendAsync(request, wire);
            response.Headers.GetValues("X-Request-ID").ShouldBe(["abc-123"], path);
        }
    }

    [Theory, OverBothWires]
    public async Task RequestId_WhenNotReceived_IsGeneratedForProblemsOnly(Wire wire)
    {
        await using var service = await TestService.StartAsync(app =>
        {
            app.MapGet("/fine", () => "fine");
            app.MapGet("/throw", string () => throw new InvalidOperationException("request id"));
        });
        using var fine = await service.GetAsync("/fine", wire);
        using var problem = await service.GetAsync("/throw", wire);
        fine.Headers.Contains("X-Request-ID").ShouldBeFalse();
        problem.Headers.GetValues("X-Request-ID").ShouldHaveSingleItem().ShouldNotBeNullOrWhiteSpace();
    }
}
