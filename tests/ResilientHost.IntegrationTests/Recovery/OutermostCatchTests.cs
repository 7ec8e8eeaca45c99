namespace ResilientHost.IntegrationTests.Recovery;

public sealed class OutermostCatchTests
{
    private static TestServiceSetup ThrowingMiddleware(bool later, Action<WebApplication>? outside = null) => new()
    {
        Outside = app =>
        {
            outside?.Invoke(app);
            app.Use(async (context, next) =>
            {
                if (context.Request.Path == "/throw")
                {
                    if (later)
                    {
                        await Task.Yield();
                    }

                    throw new InvalidOperationException("marker-middleware");
                }

                await next(context);
            });
        },
        Endpoints = app =>
        {
            app.MapGet("/fine", () => "fine");
            app.MapGet("/endpoint", string () => throw new InvalidOperationException("marker-endpoint"));
        },
    };

    [Theory]
    [InlineData(Wire.Http1, false)]
    [InlineData(Wire.Http1, true)]
    [InlineData(Wire.Http2, false)]
    [InlineData(Wire.Http2, true)]
    public async Task Middleware_Throws_AnswersProblemAndLogsOnce(Wire wire, bool later)
    {
        await using var service = await TestService.StartAsync(ThrowingMiddleware(later));
        using var response = await service.GetAsync("/throw", wire);
        await response.ShouldBeProblemAsync(500, "unhandled_exception");
        await service.OneLogAboutAsync("marker-middleware");
        (await service.StatusOfAsync("/fine", wire)).ShouldBe(200);
    }

    [Fact]
    public async Task Middleware_ThrowsBeforeAnyLayerIsUsed_AnswersProblem()
    {
        await using var service = await TestService.StartAsync(new TestServiceSetup
        {
            UsesLayers = false,
            Endpoints = app => app.MapGet("/throw", string () => throw new InvalidOperationException("marker-bare")),
        });
        using var response = await service.GetAsync("/throw");
        await response.ShouldBeProblemAsync(500, "unhandled_exception");
        await service.OneLogAboutAsync("marker-bare");
    }

    [Theory, OverBothWires]
    public async Task Middleware_Throws_SecurityHeadersStayAndThoseOfTheAnswerGo(Wire wire)
    {
        await using var service = await TestService.StartAsync(ThrowingMiddleware(later: true, app => app.Use((context, next) =>
        {
            context.Response.Headers.StrictTransportSecurity = "max-age=60";
            context.Response.Headers.AccessControlAllowOrigin = "https://shop.example";
            context.Response.Headers.ETag = "\"v1\"";
            context.Response.Headers.CacheControl = "public";
            return next(context);
        })));
        using var response = await service.GetAsync("/throw", wire);
        await response.ShouldBeProblemAsync(500, "unhandled_exception");
        response.Headers.GetValues("Strict-Transport-Security").ShouldBe(["max-age=60"]);
        response.Headers.GetValues("Access-Control-Allow-Origin").ShouldBe(["https://shop.example"]);
        response.Headers.ETag.ShouldBeNull();
    }

    [Fact]
    public async Task Middleware_ThrowsOnTheWayBack_AnswersProblem()
    {
        await using var service = await TestService.StartAsync(new TestServiceSetup
        {
            Outside = app => app.Use(async (context, next) =>
            {
                await next(context);
                throw new InvalidOperationException("marker-way-back");
            }),
            Endpoints = app => app.MapGet("/", () => Results.StatusCode(204)),
            MapsStatus = false,
        });
        using var response = await service.GetAsync("/");
        await response.ShouldBeProblemAsync(500, "unhandled_exception");
        await service.OneLogAboutAsync("marker-way-back");
    }

    [Theory]
    [InlineData("/endpoint", "marker-endpoint")]
    [InlineData("/throw", "marker-middleware")]
    public async Task UseExceptionHandler_AlsoInTheApp_OneLogEntry(string path, string marker)
    {
        await using var service = await TestService.StartAsync(ThrowingMiddleware(
            later: true,
            app => app.UseExceptionHandler(error => error.Run(context => context.Response.WriteAsync("handled by the app")))));
        (await service.StatusOfAsync(path)).ShouldBe(500);
        await service.OneLogAboutAsync(marker);
    }

    [Fact]
    public async Task UseExceptionHandler_InsideTheLayers_HandlesItsOwn()
    {
        await using var service = await TestService.StartAsync(app =>
        {
            app.UseExceptionHandler(error => error.Run(context => context.Response.WriteAsync("handled by the app")));
            app.MapGet("/", string () => throw new InvalidOperationException("marker-inside"));
        });
        using var response = await service.GetAsync("/");
        response.StatusCode.ShouldBe(HttpStatusCode.InternalServerError);
        (await response.Content.ReadAsStringAsync()).ShouldBe("handled by the app");
        await service.OneLogAboutAsync("marker-inside");
    }
}
