using System.Globalization;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using ResilientHost.Telemetry.Exporting;
using Serilog;
using Serilog.Core;
using Serilog.Extensions.Logging;
using Serilog.Settings.Configuration;

namespace ResilientHost.Telemetry.Lines;

/// <summary>Serilog's logger: what the section <c>Serilog</c> says, and lines of JSON on the console where that names no sink.</summary>
internal sealed class SerilogLines
{
    private const string SectionName = "Serilog";

    public SerilogLines(IConfiguration configuration, ResilienceTelemetryOptions options, TelemetryMetrics metrics, TimeProvider time)
    {
        if (!options.UseSerilog)
        {
            Provider = new SilentProvider();
            return;
        }

        var section = configuration.GetSection(SectionName);
        var logger = section.Exists() ? FromSection(configuration, section, ToConsole) : null;
        Provider = new SerilogLoggerProvider(logger ?? ToConsole(new LoggerConfiguration().MinimumLevel.Verbose()).CreateLogger(), dispose: true);

        LoggerConfiguration ToConsole(LoggerConfiguration lines) =>
            lines.WriteTo.Sink(new ConsoleQueue(new JsonLineFormatter(), static text => Console.Out.Write(text), options.ConsoleQueueLength, metrics, time));
    }

    public ILoggerProvider Provider { get; }

    /// <summary>What is wrong with the section. The console tells of it then.</summary>
    public IReadOnlyList<string> Problems { get; private set; } = [];

    private Logger? FromSection(IConfiguration configuration, IConfigurationSection section, Func<LoggerConfiguration, LoggerConfiguration> toConsole)
    {
        var complaints = new SerilogComplaints();
        Logger? logger = null;
        try
        {
            using (complaints.Listen())
            {
                var lines = new LoggerConfiguration();

                // Levels are the business of Logging:LogLevel unless the section has some.
                if (!section.GetSection("MinimumLevel").Exists())
                {
                    lines.MinimumLevel.Verbose();
                }

                lines.ReadFrom.Configuration(configuration, new ConfigurationReaderOptions { SectionName = SectionName, FormatProvider = CultureInfo.InvariantCulture });
                logger = (section.GetSection("WriteTo").Exists() || section.GetSection("AuditTo").Exists() ? lines : toConsole(lines)).CreateLogger();
            }
        }
        catch (Exception exception)
        {
            complaints.Add(exception.GetBaseException().Message);
        }

        if (complaints.All.Count == 0)
        {
            return logger;
        }

        logger?.Dispose();
        Problems = [.. complaints.All.Select(static complaint => $"Section {SectionName}: {complaint}")];
        return null;
    }

    private sealed class SilentProvider : ILoggerProvider
    {
        public Microsoft.Extensions.Logging.ILogger CreateLogger(string categoryName) => Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance;

        public void Dispose()
        {
        }
    }
}
