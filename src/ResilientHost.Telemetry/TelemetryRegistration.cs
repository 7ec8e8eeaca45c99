using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using Microsoft.Extensions.Options;
using ResilientHost.Pipeline;
using ResilientHost.Telemetry.Exporting;
using ResilientHost.Telemetry.Lines;
using ResilientHost.Telemetry.Requests;
using ResilientHost.Telemetry.Settings;

namespace ResilientHost.Telemetry;

/// <summary>What was asked for, kept among the services: further calls add to it.</summary>
internal sealed class TelemetryRegistration
{
    private const string HostingDiagnostics = "Microsoft.AspNetCore.Hosting.Diagnostics";

    public ResilienceTelemetryOptions Options { get; } = new();

    public static TelemetryRegistration Of(IHostApplicationBuilder builder)
    {
        var services = builder.Services;
        if (services.FirstOrDefault(service => service.ServiceType == typeof(TelemetryRegistration))?.ImplementationInstance is TelemetryRegistration known)
        {
            return known;
        }

        var registration = new TelemetryRegistration();
        services.AddSingleton(registration);
        services.AddSingleton(registration.Options);
        OtelEnvironment.AddTo(builder.Configuration);
        AddServices(services);
        return registration;
    }

    /// <summary>Does what depends on the options as they are now.</summary>
    public void Apply(IHostApplicationBuilder builder)
    {
        if (!Options.UseSerilog)
        {
            return;
        }

        // Each line would stand there twice.
        foreach (var console in builder.Services.Where(static service => service.ServiceType == typeof(ILoggerProvider) && service.ImplementationType == typeof(ConsoleLoggerProvider)).ToArray())
        {
            builder.Services.Remove(console);
        }
    }

    private static void AddServices(IServiceCollection services)
    {
        services.AddLogging();
        services.AddMetrics();
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<TelemetrySettings>();
        services.AddSingleton<TelemetryMetrics>();
        services.AddSingleton<SerilogLines>();
        services.AddSingleton<ILoggerProvider>(static provider => provider.GetRequiredService<SerilogLines>().Provider);
        services.AddSingleton<IRequestObserver, RequestLog>();
        services.AddOpenTelemetrySdk();
        services.AddSingleton<TelemetryProviders>();
        services.AddHostedService<TelemetryStartup>();

        // First of all rules: one of the application's configuration for the same category comes later, and wins.
        services.Insert(0, ServiceDescriptor.Singleton<IConfigureOptions<LoggerFilterOptions>>(static provider => new ConfigureOptions<LoggerFilterOptions>(filter =>
        {
            // Asked whether it is there, not made: it needs loggers, and these rules are what loggers are made of.
            if (provider.GetRequiredService<ResilienceTelemetryOptions>().LogRequests && provider.GetService<IServiceProviderIsService>()?.IsService(typeof(RequestCompletions)) == true)
            {
                filter.Rules.Insert(0, new LoggerFilterRule(null, HostingDiagnostics, LogLevel.Warning, null));
            }
        })));
    }
}
