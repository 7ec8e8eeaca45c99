using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using ResilientHost.Telemetry;

namespace ResilientHost.Tests.TelemetryPackage;

/// <summary>One event per request that has ended.</summary>
public sealed class RequestLogTests
{
    [Theory]
    [InlineData("/products/4711?card=1234", 200, LogLevel.Information, "succeeded", "/products/{id:int}")]
    [InlineData("/nowhere/4711", 404, LogLevel.Information, "succeeded", "(no endpoint)")]
    [InlineData("/bad", 502, LogLevel.Error, "failed", "/bad")]
    [InlineData("/throws", 500, LogLevel.Warning, "recovered", "/throws")]
    [InlineData("/throws-outside", 500, LogLevel.Warning, "recovered", "(no endpoint)")]
    [InlineData("/saved", 200, LogLevel.Information, "fallback", "/saved")]
    [InlineData("/isolated", 503, LogLevel.Warning, "refused", "/isolated")]
    [InlineData("/health/live", 200, LogLevel.Debug, "succeeded", "/health/live")]
    public async Task Request_Ended_IsOneEventWithoutPathOrQuery(string path, int status, LogLevel level, string disposition, string route)
    {
        var logs = new LogRecorder();
        await using var app = await StartAsync(logs);

        using var response = await app.GetTestClient().GetAsync(path, TestContext.Current.CancellationToken);

        ((int)response.StatusCode).ShouldBe(status);
        var entry = await logs.WaitForAsync(log => log.EventId.Id == EventIds.Telemetry, TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
        logs.Entries.Count(log => log.EventId.Id == EventIds.Telemetry).ShouldBe(1);
        entry.Category.ShouldBe("ResilientHost.Requests");
        entry.Level.ShouldBe(level);
        var state = entry.State.ToDictionary(pair => pair.Key, pair => pair.Value);
        state["Method"].ShouldBe("GET");
        state["Route"].ShouldBe(route);
        state["StatusCode"].ShouldBe(status);
        state["Disposition"].ShouldBe(disposition);
        state["DurationMs"].ShouldBeOfType<double>().ShouldBeGreaterThanOrEqualTo(0);
        state["TraceId"].ShouldBeOfType<string>().Length.ShouldBe(32);
        entry.Message.ShouldNotContain("4711");
        entry.Message.ShouldNotContain("1234");
    }

    [Fact]
    public async Task Request_MethodThatNobodyKnows_IsOther()
    {
        var logs = new LogRecorder();
        await using var app = await StartAsync(logs);
        using var request = new HttpRequestMessage(new HttpMethod("SECRET"), "/products/1");

        using var response = await app.GetTestClient().SendAsync(request, TestContext.Current.CancellationToken);

        var entry = await logs.WaitForAsync(log => log.EventId.Id == EventIds.Telemetry, TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
        entry.State.Single(pair => pair.Key == "Method").Value.ShouldBe("_OTHER");
    }

    [Fact]
    public async Task Request_SuiteSwitchedOff_IsStillLogged()
    {
        var logs = new LogRecorder();
        await using var app = await StartAsync(logs, settings: [new("Resilience:Enabled", "false")]);

        using var response = await app.GetTestClient().GetAsync("/bad", TestContext.Current.CancellationToken);

        (await logs.WaitForAsync(log => log.EventId.Id == EventIds.Telemetry, TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken)).Level.ShouldBe(LogLevel.Error);
    }

    [Fact]
    public async Task Request_LogRequestsOff_IsNotLogged()
    {
        var logs = new LogRecorder();
        await using var app = await StartAsync(logs, options => options.LogRequests = false);

        using var response = await app.GetTestClient().GetAsync("/products/1", TestContext.Current.CancellationToken);
        await app.StopAsync(TestContext.Current.CancellationToken);

        logs.Entries.ShouldNotContain(log => log.EventId.Id == EventIds.Telemetry);
        logs.Entries.ShouldContain(log => log.Category == "Microsoft.AspNetCore.Hosting.Diagnostics");
    }

    [Fact]
    public async Task Request_FrameworksOwnEvents_AreLeftOutUnlessConfigured()
    {
        var (quiet, asked) = (new LogRecorder(), new LogRecorder());
        await using (var app = await StartAsync(quiet))
        {
            using var response = await app.GetTestClient().GetAsync("/products/1", TestContext.Current.CancellationToken);
        }

        await using (var app = await StartAsync(asked, settings: [new("Logging:LogLevel:Microsoft.AspNetCore.Hosting.Diagnostics", "Information")]))
        {
            using var response = await app.GetTestClient().GetAsync("/products/1", TestContext.Current.CancellationToken);
        }

        quiet.Entries.ShouldNotContain(log => log.Category == "Microsoft.AspNetCore.Hosting.Diagnostics");
        asked.Entries.ShouldContain(log => log.Category == "Microsoft.AspNetCore.Hosting.Diagnostics");
    }

    [Fact]
    public async Task Providers_OfApplication_StayButForTheConsole()
    {
        var builder = WebApplication.CreateBuilder();
        builder.AddResilienceTelemetry();
        builder.AddResilienceTelemetry();
        await using var app = builder.Build();

        var providers = app.Services.GetServices<ILoggerProvider>().Select(provider => provider.GetType().Name).ToArray();
        providers.ShouldNotContain("ConsoleLoggerProvider");
        providers.ShouldContain("EventSourceLoggerProvider");
        providers.Count(name => name == "SerilogLoggerProvider").ShouldBe(1);
        providers.Count(name => name == "OpenTelemetryLoggerProvider").ShouldBe(1);
    }

    private static async Task<WebApplication> StartAsync(LogRecorder logs, Action<ResilienceTelemetryOptions>? configure = null, params KeyValuePair<string, string?>[] settings)
    {
        var builder = WebApplication.CreateBuilder(["--hostBuilder:reloadConfigOnChange=false"]);
        builder.WebHost.UseTestServer();
        builder.Configuration.AddInMemoryCollection([new("Logging:LogLevel:Default", "Debug"), new("Resilience:CircuitBreakers:isolated:Mode", "ForcedOpen"), .. settings]);
        builder.Logging.ClearProviders().AddProvider(logs);
        builder.AddResilienceTelemetry(options =>
        {
            options.UseSerilog = false;
            configure?.Invoke(options);
        });
        builder.AddResilienceLayers();
        var app = builder.Build();
        app.Use((context, next) => context.Request.Path == "/throws-outside" ? throw new InvalidDataException() : next(context));
        app.UseRouting();
        app.UseResilienceLayers();
        app.MapGet("/products/{id:int}", static (int id) => id);
        app.MapGet("/bad", static () => Results.StatusCode(502));
        app.MapGet("/throws", static string () => throw new InvalidDataException());
        app.MapGet("/saved", static string () => throw new InvalidDataException()).WithFallback(static () => "spare");
        app.MapGet("/isolated", static () => "never").WithCircuitBreaker("isolated");
        app.MapResilienceHealth();
        await app.StartAsync(TestContext.Current.CancellationToken);
        return app;
    }
}
