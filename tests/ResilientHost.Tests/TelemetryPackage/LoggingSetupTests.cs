using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using ResilientHost.Telemetry;

namespace ResilientHost.Tests.TelemetryPackage;

/// <summary>Logging that is set up again after us takes ours out without a word. We have one.</summary>
public sealed class LoggingSetupTests
{
    [Fact]
    public async Task Start_NothingUndone_SaysNothing() =>
        (await ToldAsync(static (builder, logs) => builder.Logging.AddProvider(logs))).ShouldBeEmpty();

    [Fact]
    public async Task Start_ProvidersCleared_TellsOfBothThatAreMissing()
    {
        var told = await ToldAsync(static (builder, logs) => builder.Logging.ClearProviders().AddProvider(logs));

        told.Length.ShouldBe(2);
        told[0].ShouldContain("no log is exported");
        told[1].ShouldContain("no line of JSON is written");
    }

    [Fact]
    public async Task Start_ConsoleAddedAgain_TellsThatEventsAreWrittenTwice() =>
        (await ToldAsync(static (builder, logs) => builder.Logging.AddProvider(logs).AddJsonConsole())).ShouldHaveSingleItem().ShouldContain("twice");

    [Fact]
    public async Task Start_ConsoleAddedWithoutOurs_SaysNothing() =>
        (await ToldAsync(static (builder, logs) => builder.Logging.AddProvider(logs).AddJsonConsole(), static options => options.UseSerilog = false)).ShouldBeEmpty();

    [Fact]
    public async Task Start_LoggersMadeBySomebodyElse_TellsByWhom() =>
        (await ToldAsync(static (builder, logs) => builder.Services.AddSingleton<ILoggerFactory>(new SomeonesFactory(logs))))
            .ShouldHaveSingleItem().ShouldContain(nameof(SomeonesFactory));

    private static async Task<string[]> ToldAsync(Action<WebApplicationBuilder, LogRecorder> later, Action<ResilienceTelemetryOptions>? configure = null)
    {
        var logs = new LogRecorder();
        var builder = WebApplication.CreateBuilder(["--hostBuilder:reloadConfigOnChange=false"]);
        builder.WebHost.UseTestServer();
        builder.Configuration.AddInMemoryCollection([new("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "http://127.0.0.1:9")]);
        builder.AddResilienceTelemetry(options =>
        {
            options.FlushTimeout = TimeSpan.FromMilliseconds(1);
            configure?.Invoke(options);
        });
        later(builder, logs);
        await using var app = builder.Build();
        await app.StartAsync(TestContext.Current.CancellationToken);
        return [.. logs.Entries.Where(log => log.EventId.Id == EventIds.Telemetry + 7).Select(log => log.Message)];
    }

    private sealed class SomeonesFactory(ILoggerProvider provider) : LoggerFactory([provider]);
}
