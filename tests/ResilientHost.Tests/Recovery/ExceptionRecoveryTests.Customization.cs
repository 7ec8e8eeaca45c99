using System.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace ResilientHost.Tests.Recovery;

public partial class ExceptionRecoveryTests
{
    [Fact]
    public async Task RecoverAsync_AddProblemDetailsAlone_KeepsTheExactBody()
    {
        using var host = new RecoveryHost(services: services => services.AddProblemDetails());
        var request = host.Request();

        await host.RecoverAsync(request, Thrown(() => new InvalidOperationException(Canary)));

        request.Json.EnumerateObject().Select(member => member.Name).ShouldBe(["type", "title", "status", "code", "traceId", "timestamp"]);
    }

    [Fact]
    public async Task RecoverAsync_CustomizeProblemDetails_AddsToOurFieldsAndLeaksNothing()
    {
        using var host = new RecoveryHost(services: services => services.AddProblemDetails(options =>
            options.CustomizeProblemDetails = context => context.ProblemDetails.Extensions["company"] = "acme"));
        var request = host.Request();
        using var activity = new Activity("request").Start();

        await host.RecoverAsync(request, Thrown(() => new TimeoutException(Canary)));

        var json = request.Json;
        json.GetProperty("company").GetString().ShouldBe("acme");
        json.GetProperty("type").GetString().ShouldBe("urn:resilient-host:problem:unhandled-exception");
        json.GetProperty("status").GetInt32().ShouldBe(504);
        json.GetProperty("code").GetString().ShouldBe("unhandled_exception");
        json.GetProperty("traceId").GetString().ShouldBe(activity.TraceId.ToHexString());
        json.TryGetProperty("timestamp", out _).ShouldBeTrue();
        request.StatusCode.ShouldBe(504);
        request.Headers.ContentType.ToString().ShouldStartWith("application/problem+json");
        request.Headers.CacheControl.ToString().ShouldBe("no-store");
        request.Everything.ShouldNotContain(Canary);
    }

    [Fact]
    public async Task RecoverAsync_CustomizedRefusal_CarriesRetryAfter()
    {
        using var host = new RecoveryHost(services: services => services.AddProblemDetails(options =>
            options.CustomizeProblemDetails = context => context.ProblemDetails.Extensions["company"] = "acme"));
        var request = host.Request();

        await host.Refusals.WriteAsync(request.Context, new Refusal(RefusalReason.CircuitOpen, "x", TimeSpan.FromSeconds(3)), new());

        request.Json.GetProperty("retryAfterSeconds").GetInt32().ShouldBe(3);
        request.Json.GetProperty("company").GetString().ShouldBe("acme");
        request.Headers.RetryAfter.ToString().ShouldBe("3");
    }

    [Fact]
    public async Task RecoverAsync_CustomWriter_GetsTheLastWord()
    {
        using var host = new RecoveryHost(services: services => services
            .AddSingleton<IProblemDetailsWriter>(new Envelope(context => context.HttpContext.Response.WriteAsync($"<{context.ProblemDetails.Extensions["code"]}>")))
            .AddProblemDetails());
        var request = host.Request();

        await host.RecoverAsync(request, Thrown(() => new InvalidOperationException(Canary)));

        request.BodyText.ShouldBe("<unhandled_exception>");
        request.StatusCode.ShouldBe(500);
    }

    [Fact]
    public async Task RecoverAsync_CustomizationThatDeclines_FallsBackToOurBody()
    {
        using var host = new RecoveryHost(services: services => services.AddProblemDetails(options => options.CustomizeProblemDetails = _ => { }));
        var request = host.Request(accept: "text/plain");

        await host.RecoverAsync(request, Thrown(() => new InvalidOperationException(Canary)));

        request.Headers.ContentType.ToString().ShouldStartWith("text/plain");
        request.BodyText.ShouldContain("unhandled_exception");
    }

    [Fact]
    public async Task RecoverAsync_CustomizationThatThrows_FallsBackToOurBodyAndIsLoggedOncePerStorm()
    {
        using var host = new RecoveryHost(services: services => services.AddProblemDetails(options =>
            options.CustomizeProblemDetails = _ => throw new InvalidDataException("customiser")));
        FakeRequest? request = null;
        for (var i = 0; i < 3; i++)
        {
            request = host.Request();
            await host.RecoverAsync(request, Thrown(() => new InvalidOperationException(Canary)));
        }

        request!.Json.EnumerateObject().Select(member => member.Name).ShouldBe(["type", "title", "status", "code", "traceId", "timestamp"]);
        request.IsAborted.ShouldBeFalse();
        host.Log.Loud.Select(entry => entry.Id.Id).ShouldBe([1500, 1506]);
    }

    [Fact]
    public async Task RecoverAsync_CustomWriterThatThrowsMidway_LeavesNoHalfBody()
    {
        using var host = new RecoveryHost(services: services => services
            .AddSingleton<IProblemDetailsWriter>(new Envelope(async context =>
            {
                context.HttpContext.Response.Headers["X-Half"] = "1";
                await context.HttpContext.Response.WriteAsync("half");
                throw new InvalidDataException("writer");
            }))
            .AddProblemDetails());
        var request = host.Request();

        await host.RecoverAsync(request, Thrown(() => new InvalidOperationException("boom")));

        request.Json.GetProperty("status").GetInt32().ShouldBe(500);
        request.Headers.ContainsKey("X-Half").ShouldBeFalse();
    }

    [Fact]
    public async Task RecoverAsync_CustomWriterThatThrowsAfterStart_Aborts()
    {
        FakeRequest? request = null;
        using var host = new RecoveryHost(services: services => services
            .AddSingleton<IProblemDetailsWriter>(new Envelope(_ =>
            {
                request!.HasStarted = true;
                throw new InvalidDataException("writer");
            }))
            .AddProblemDetails());
        request = host.Request();

        await host.RecoverAsync(request, Thrown(() => new InvalidOperationException("boom")));

        request.IsAborted.ShouldBeTrue();
        request.BodyText.ShouldBeEmpty();
    }

    [Fact]
    public async Task RecoverAsync_CustomizedHead_HasNoBody()
    {
        using var host = new RecoveryHost(services: services => services.AddProblemDetails(options => options.CustomizeProblemDetails = _ => { }));
        var request = host.Request("HEAD");

        await host.RecoverAsync(request, Thrown(() => new InvalidOperationException("boom")));

        request.BodyText.ShouldBeEmpty();
        request.StatusCode.ShouldBe(500);
    }

    private sealed class Envelope(Func<ProblemDetailsContext, Task> write) : IProblemDetailsWriter
    {
        public bool CanWrite(ProblemDetailsContext context) => true;

        public ValueTask WriteAsync(ProblemDetailsContext context) => new(write(context));
    }
}
