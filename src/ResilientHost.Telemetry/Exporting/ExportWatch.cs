using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OpenTelemetry;
using ResilientHost.Telemetry.Settings;
using static ResilientHost.ResilienceDiagnostics;

namespace ResilientHost.Telemetry.Exporting;

/// <summary>Counts what one exporter hands over and loses, and tells of losses: the first of a row, then a sum every 10 s. Thread-safe.</summary>
internal sealed partial class ExportWatch : IDisposable
{
    private const string Lost = "are lost";
    private const string Repeated = "go out with the next export";

    private readonly OtlpSettings _otlp;
    private readonly TelemetryMetrics _metrics;
    private readonly IServiceProvider _services;
    private readonly bool _repeats;
    private readonly LogStorm _failures;
    private readonly LogStorm _overflows;
    private ILogger? _logger;

    /// <param name="otlp">The exporter's settings.</param>
    /// <param name="services">For the logger, at the first loss: the logger factory needs the exporter of logs.</param>
    /// <param name="repeats">The next export brings what this one could not: cumulative metrics.</param>
    public ExportWatch(OtlpSettings otlp, IServiceProvider services, bool repeats = false)
    {
        _otlp = otlp;
        _repeats = repeats;
        _services = services;
        _metrics = services.GetRequiredService<TelemetryMetrics>();
        var time = services.GetRequiredService<TimeProvider>();
        _failures = new(time, more => LogMoreFailures(Logger, more, otlp.Signal, otlp.Address, Fate));
        _overflows = new(time, more => LogMoreOverflows(Logger, more, otlp.Signal, otlp.Address));
    }

    private ILogger Logger => _logger ??= _services.GetRequiredService<ILoggerFactory>().CreateLogger(typeof(ExportWatch).Namespace!);

    private string Fate => _repeats ? Repeated : Lost;

    /// <summary>A batch has been tried, on the exporter's thread. Never throws: that thread is nobody's, an exception on it would end the process.</summary>
    public void Exported(ExportResult result, long items)
    {
        try
        {
            Count(result == ExportResult.Success, items);
        }
        catch (Exception)
        {
            // An exporter that a collector kept waiting outlives its host: there may be nobody left to tell.
        }
    }

    /// <summary>There was no room in the queue, on the thread of whoever had something to say: nothing but counting is done there. Never throws.</summary>
    public void Overflowed()
    {
        try
        {
            _metrics.Dropped(_otlp.Signal, TelemetryTagValues.QueueFull, 1);
            if (_overflows.Admit())
            {
                ThreadPool.UnsafeQueueUserWorkItem(static watch => watch.TellOverflow(), this, preferLocal: false);
            }
        }
        catch (Exception)
        {
            // A listener of metrics; whoever ends a span has nothing to do with it.
        }
    }

    public void Dispose()
    {
        _failures.Dispose();
        _overflows.Dispose();
    }

    private void Count(bool succeeded, long items)
    {
        _metrics.Exported(_otlp.Signal, succeeded);
        if (succeeded)
        {
            return;
        }

        if (!_repeats)
        {
            _metrics.Dropped(_otlp.Signal, TelemetryTagValues.ExportFailed, items);
        }

        if (_failures.Admit())
        {
            LogFailure(Logger, items, _otlp.Signal, _otlp.Address, Fate, ExporterFaults.Latest ?? "no reason given");
        }
    }

    private void TellOverflow()
    {
        try
        {
            LogOverflow(Logger, _otlp.Signal, _otlp.Address);
        }
        catch (Exception)
        {
            // On a thread of the pool an exception ends the process; a logger must not be able to do that.
        }
    }

    [LoggerMessage(EventIds.Telemetry + 1, LogLevel.Warning, "{Items} items of {Signal} could not be exported to {Address} and {Fate}: {Reason}")]
    private static partial void LogFailure(ILogger logger, long items, string signal, string address, string fate, string reason);

    [LoggerMessage(EventIds.Telemetry + 4, LogLevel.Warning, "{Batches} more batches of {Signal} could not be exported to {Address} and {Fate}.")]
    private static partial void LogMoreFailures(ILogger logger, long batches, string signal, string address, string fate);

    [LoggerMessage(EventIds.Telemetry + 2, LogLevel.Warning, "The queue of {Signal} for {Address} is full; what does not fit is lost.")]
    private static partial void LogOverflow(ILogger logger, string signal, string address);

    [LoggerMessage(EventIds.Telemetry + 5, LogLevel.Warning, "{Items} more items of {Signal} for {Address} did not fit into the queue and are lost.")]
    private static partial void LogMoreOverflows(ILogger logger, long items, string signal, string address);
}
