using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using ResilientHost.Telemetry.Exporting;
using ResilientHost.Telemetry.Lines;
using ResilientHost.Telemetry.Settings;

namespace ResilientHost.Telemetry;

/// <summary>Begins to export before anything of the host starts, and delivers what is left after everything of it has stopped.</summary>
internal sealed partial class TelemetryStartup(IServiceProvider services, ResilienceTelemetryOptions options, ILogger<TelemetryStartup> logger) : IHostedLifecycleService
{
    public Task StartingAsync(CancellationToken cancellationToken)
    {
        var settings = services.GetRequiredService<TelemetrySettings>();
        string[] problems =
        [
            .. options.Problems(),
            .. settings.Problems,
            .. services.GetRequiredService<SerilogLines>().Problems,
        ];
        if (problems.Length > 0)
        {
            throw new OptionsValidationException(nameof(ResilienceTelemetryOptions), typeof(ResilienceTelemetryOptions), problems);
        }

        foreach (var warning in settings.Warnings)
        {
            LogVariable(logger, warning);
        }

        foreach (var problem in LoggingSetup.Problems(services, options, settings))
        {
            LogLoggingSetup(logger, problem);
        }

        // Making them begins to listen.
        _ = services.GetRequiredService<TelemetryProviders>();
        return Task.CompletedTask;
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task StoppedAsync(CancellationToken cancellationToken)
    {
        if (!await services.GetRequiredService<TelemetryProviders>().CloseAsync(options.FlushTimeout))
        {
            LogNotDelivered(logger, options.FlushTimeout.TotalSeconds);
        }
    }

    [LoggerMessage(EventIds.Telemetry + 3, LogLevel.Warning, "Not all telemetry could be delivered within {Seconds} s of stopping; the rest is lost.")]
    private static partial void LogNotDelivered(ILogger logger, double seconds);

    [LoggerMessage(EventIds.Telemetry + 6, LogLevel.Warning, "{Warning}")]
    private static partial void LogVariable(ILogger logger, string warning);

    [LoggerMessage(EventIds.Telemetry + 7, LogLevel.Warning, "Logging was set up again after AddResilienceTelemetry(): {Problem}")]
    private static partial void LogLoggingSetup(ILogger logger, string problem);
}
