using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using OpenTelemetry.Logs;
using ResilientHost.Telemetry.Settings;

namespace ResilientHost.Telemetry.Lines;

/// <summary>Whether the loggers of the application are still those that <c>AddResilienceTelemetry()</c> set up. Whoever sets up logging after it may undo it without a word.</summary>
internal static class LoggingSetup
{
    public static IEnumerable<string> Problems(IServiceProvider services, ResilienceTelemetryOptions options, TelemetrySettings settings)
    {
        var factory = services.GetRequiredService<ILoggerFactory>().GetType();
        if (factory != typeof(LoggerFactory))
        {
            yield return $"loggers are made by {factory} (UseSerilog() and AddSerilog() do that). Unless it passes events on to the providers (writeToProviders), no log is exported, no line of JSON is written, and the dashboard lists no events. Leave that call out.";
            yield break;
        }

        var providers = services.GetServices<ILoggerProvider>().ToList();
        if (settings.Logs is not null && !providers.OfType<OpenTelemetryLoggerProvider>().Any())
        {
            yield return "the provider of exported logs was taken out (ClearProviders() does that): no log is exported. Call ClearProviders() first.";
        }

        if (!options.UseSerilog)
        {
            yield break;
        }

        if (!providers.Contains(services.GetRequiredService<SerilogLines>().Provider))
        {
            yield return "Serilog's provider was taken out (ClearProviders() does that): no line of JSON is written. Call ClearProviders() first, or set UseSerilog to false.";
        }
        else if (providers.OfType<ConsoleLoggerProvider>().Any())
        {
            yield return "the stock console provider was added again (AddConsole() and AddJsonConsole() do that): each event is written twice. Leave that call out, or set UseSerilog to false.";
        }
    }
}
