using System.Text;
using Microsoft.AspNetCore.Diagnostics;

namespace ResilientHost.IntegrationTests.Recovery;

/// <summary>Middleware outside the layers that holds the body itself must not end, or keep, an answer that was cut off.</summary>
public sealed class CutResponseTests
{
    [Theory, OverBothWires]
    public async Task HalfAnAnswer_BehindTheOutputCache_IsNeverStored(Wire wire)
    {
        var calls = 0;
        TaskCompletionSource left = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var service = await StartAsync(app => app.MapGet("/report", async (HttpContext context) =>
        {
            await context.Response.WriteAsync("first half");
            if (Interlocked.Increment(ref calls) == 1)
            {
                await context.Response.Body.FlushAsync();
                throw new InvalidOperationException("marker-half");
            }

            await context.Response.WriteAsync(", second half");
        }).CacheOutput(), left);

        await Should.ThrowAsync<HttpRequestException>(() => service.Client(wire).GetStringAsync("/report"));
        await left.Task.WaitAsync(TestService.Patience);
        (await service.Client(wire).GetStringAsync("/report")).ShouldBe("first half, second half");
        (await service.OneLogAboutAsync("marker-half")).Level.ShouldBe(LogLevel.Error);
        service.LoudLogs.Count(entry => !entry.Category.StartsWith("Microsoft.AspNetCore.Server", StringComparison.Ordinal)).ShouldBe(1);
    }

    [Fact]
    public async Task AnswerOfAnExceptionHandler_BehindTheOutputCache_IsNeverStored()
    {
        var calls = 0;
        await using var service = await StartAsync(app => app.MapGet("/report", () =>
            Interlocked.Increment(ref calls) == 1 ? throw new InvalidOperationException("marker-handled") : "the report").CacheOutput());

        (await service.Client().GetStringAsync("/report")).ShouldBe("stand-in");
        (await service.Client().GetStringAsync("/report")).ShouldBe("the report");
    }

    [Fact]
    public async Task ClientLeavesHalfway_BehindTheOutputCache_HalfIsNeverStored()
    {
        var gate = new Gate();
        var calls = 0;
        TaskCompletionSource left = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var service = await StartAsync(app => app.MapGet("/report", async (HttpContext context) =>
        {
            await context.Response.WriteAsync("first half");
            await context.Response.Body.FlushAsync();
            if (Interlocked.Increment(ref calls) == 1)
            {
                await gate.PassAsync(context.RequestAborted);
            }

            await context.Response.WriteAsync(", second half");
        }).CacheOutput(), left);

        using (var connection = await service.ConnectAsync())
        {
            await connection.SendAsync($"GET /report HTTP/1.1\r\nHost: localhost:{service.Client().BaseAddress!.Port}\r\n\r\n");
            await connection.ReadUntilAsync("first half");
            await gate.ArrivalAsync();
            connection.Reset();
        }

        await left.Task.WaitAsync(TestService.Patience);
        (await service.Client().GetStringAsync("/report")).ShouldBe("first half, second half");
        service.ShouldHaveLoggedNoError();
    }

    [Theory]
    [InlineData("br", Wire.Http1)]
    [InlineData("gzip", Wire.Http1)]
    [InlineData("br", Wire.Http2)]
    [InlineData("gzip", Wire.Http2)]
    public async Task HalfAnAnswer_BehindResponseCompression_NeverEndsCleanly(string encoding, Wire wire)
    {
        await using var service = await StartAsync(app => app.MapGet("/report", async (HttpContext context) =>
        {
            context.Response.ContentType = "text/plain";
            await context.Response.Body.WriteAsync(Encoding.UTF8.GetBytes("first half"));
            throw new InvalidOperationException("marker-compressed");
        }));

        using var request = new HttpRequestMessage(HttpMethod.Get, "/report") { Headers = { { "Accept-Encoding", encoding } } };
        await Should.ThrowAsync<HttpRequestException>(async () =>
        {
            using var response = await service.SendAsync(request, wire);
        });
        await service.OneLogAboutAsync("marker-compressed");
    }

    /// <param name="endpoints">Maps <c>/report</c>.</param>
    /// <param name="left">Set when a request for the report has left all middleware. Until then the output cache has others wait for it, and fail with it.</param>
    private static Task<TestService> StartAsync(Action<WebApplication> endpoints, TaskCompletionSource? left = null) => TestService.StartAsync(new TestServiceSetup
    {
        Builder = builder =>
        {
            builder.Services.AddOutputCache();
            builder.Services.AddResponseCompression();
            builder.Services.AddProblemDetails();
            builder.Services.AddExceptionHandler<StandIn>();
        },
        Outside = app =>
        {
            app.Use(async (context, next) =>
            {
                try
                {
                    await next(context);
                }
                finally
                {
                    if (context.Request.Path == "/report")
                    {
                        left?.TrySetResult();
                    }
                }
            });
            app.UseExceptionHandler();
            app.UseResponseCompression();
            app.UseOutputCache();
        },
        Endpoints = endpoints,
    });

    private sealed class StandIn : IExceptionHandler
    {
        public async ValueTask<bool> TryHandleAsync(HttpContext httpContext, Exception exception, CancellationToken cancellationToken)
        {
            if (exception.Message != "marker-handled")
            {
                return false;
            }

            httpContext.Response.StatusCode = StatusCodes.Status200OK;
            await httpContext.Response.WriteAsync("stand-in", cancellationToken);
            return true;
        }
    }
}
