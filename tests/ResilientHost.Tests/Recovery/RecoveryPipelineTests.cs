using System.Net;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using ResilientHost.Recovery;

namespace ResilientHost.Tests.Recovery;

/// <summary>The slice under the framework's own server abstractions, with the least hop that can call it.</summary>
public class RecoveryPipelineTests
{
    private readonly CapturingLoggerProvider _log = new();
    private CallOutcome? _outcome;

    [Fact]
    public async Task Request_EndpointThrows_IsAnsweredAndReportedByUsAlone()
    {
        using var host = await StartAsync(_ => throw new InvalidOperationException("canary-1"));

        using var response = await host.GetTestClient().GetAsync("/");

        response.StatusCode.ShouldBe(HttpStatusCode.InternalServerError);
        response.Content.Headers.ContentType!.MediaType.ShouldBe("application/problem+json");
        response.Headers.GetValues("X-Outer").ShouldBe(["1"]);
        response.Headers.CacheControl!.NoStore.ShouldBeTrue();
        (await response.Content.ReadAsStringAsync()).ShouldNotContain("canary");
        _log.Loud.ShouldHaveSingleItem();
        _outcome.ShouldBe(CallOutcome.Failed);
    }

    [Fact]
    public async Task Request_JsonThatCannotBeSerialized_IsAProblemAndNotHalfAnAnswer()
    {
        using var host = await StartAsync(context => context.Response.WriteAsJsonAsync(new Evil()));

        using var response = await host.GetTestClient().GetAsync("/");

        using var body = JsonDocument.Parse(await response.Content.ReadAsStringAsync());
        body.RootElement.GetProperty("code").GetString().ShouldBe("unhandled_exception");
    }

    [Fact]
    public async Task Request_AnswerHasBegun_EndsInAnError()
    {
        using var host = await StartAsync(async context =>
        {
            await context.Response.WriteAsync("half");
            await context.Response.Body.FlushAsync();
            throw new InvalidOperationException("canary-2");
        });

        await Should.ThrowAsync<Exception>(async () => await host.GetTestClient().GetAsync("/"));

        _log.Loud.ShouldHaveSingleItem().Id.Id.ShouldBe(1501);
        _outcome.ShouldBe(CallOutcome.Failed);
    }

    [Fact]
    public async Task Request_BytesWithoutFlush_AreNeverFollowedByAProblem()
    {
        using var host = await StartAsync(context =>
        {
            "half"u8.CopyTo(context.Response.BodyWriter.GetSpan(4));
            context.Response.BodyWriter.Advance(4);
            throw new InvalidOperationException("canary-3");
        });

        await Should.ThrowAsync<Exception>(async () => await host.GetTestClient().GetAsync("/"));

        _outcome.ShouldBe(CallOutcome.Failed);
    }

    [Fact]
    public async Task Request_BufferingMiddlewareOutside_SendsTheProblemAlone()
    {
        using var host = await StartAsync(
            async context =>
            {
                await context.Response.WriteAsync("half");
                throw new InvalidOperationException("canary-4");
            },
            app => app.Use(async (context, next) =>
            {
                var original = context.Response.Body;
                using var buffer = new MemoryStream();
                context.Response.Body = buffer;
                await next(context);
                context.Response.Body = original;
                buffer.Position = 0;
                await buffer.CopyToAsync(original);
            }));

        using var response = await host.GetTestClient().GetAsync("/");

        using var body = JsonDocument.Parse(await response.Content.ReadAsStringAsync());
        body.RootElement.GetProperty("status").GetInt32().ShouldBe(500);
    }

    [Fact]
    public async Task Request_UseExceptionHandlerToo_LogsOneEntryInAll()
    {
        using var host = await StartAsync(_ => throw new InvalidOperationException("canary-5"), app => app.UseExceptionHandler("/error"));

        using var response = await host.GetTestClient().GetAsync("/");

        response.StatusCode.ShouldBe(HttpStatusCode.InternalServerError);
        _log.Loud.ShouldHaveSingleItem();
    }

    private async Task<IHost> StartAsync(RequestDelegate endpoint, Action<IApplicationBuilder>? outer = null)
    {
        var policy = new RecoveryPolicy(new RecoveryOptions(), isDevelopment: false);
        return await new HostBuilder().ConfigureWebHost(web => web
            .UseTestServer()
            .ConfigureLogging(logging => logging.AddProvider(_log))
            .ConfigureServices(services => services.AddSingleton<Func<RecoveryPolicy>>(() => policy).AddRecovery())
            .Configure(app =>
            {
                outer?.Invoke(app);
                app.Use(async (context, next) =>
                {
                    var scope = RecoveryHost.Scope();
                    context.Response.Headers["X-Outer"] = "1";
                    scope.Baseline.Capture(context.Response);
                    try
                    {
                        await next(context);
                    }
                    catch (Exception exception)
                    {
                        _outcome = (await context.RequestServices.GetRequiredService<ExceptionRecovery>().RecoverAsync(context, exception, scope)).Outcome;
                    }
                });
                app.Run(endpoint);
            })).StartAsync();
    }

    private sealed class Evil
    {
        public string First => "first";

        public string Second => throw new InvalidOperationException("canary-6");
    }
}
