using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using ResilientHost.Telemetry;

namespace ResilientHost.Outbound;

/// <summary>What attempts say in the log; storms of it are summed up by client. Thread-safe; nothing a logger does reaches a caller.</summary>
/// <param name="logger">The logger.</param>
/// <param name="time">For the timers of storms.</param>
internal sealed partial class OutboundLog(ILogger logger, TimeProvider time) : IDisposable
{
    private readonly ILogger _logger = logger;
    private readonly TimeProvider _time = time;
    private readonly ConcurrentDictionary<string, LogStorm> _refused = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, LogStorm> _exhausted = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, LogStorm> _bodies = new(StringComparer.Ordinal);
    private volatile bool _disposed;

    public void Retrying(string client, int failed, string failure, TimeSpan delay)
    {
        try
        {
            LogRetrying(_logger, client, failed, failure, delay.TotalMilliseconds);
        }
        catch (Exception)
        {
            // A logger that throws costs its line, not the call.
        }
    }

    public void Hedging(string client, int number, string failure)
    {
        try
        {
            LogHedging(_logger, client, number, failure);
        }
        catch (Exception)
        {
            // A logger that throws costs its line, not the call.
        }
    }

    public void Refused(string client, string reason)
    {
        try
        {
            if (Admits(_refused, client, LogMoreRefused))
            {
                LogRefused(_logger, client, reason);
            }
        }
        catch (Exception)
        {
            // A logger that throws costs its line, not the call.
        }
    }

    public void BudgetExhausted(string client)
    {
        try
        {
            if (Admits(_exhausted, client, LogMoreExhausted))
            {
                LogExhausted(_logger, client);
            }
        }
        catch (Exception)
        {
            // A logger that throws costs its line, not the call.
        }
    }

    public void BodyFailed(string client, string failure)
    {
        try
        {
            if (Admits(_bodies, client, LogMoreBodiesFailed))
            {
                LogBodyFailed(_logger, client, failure);
            }
        }
        catch (Exception)
        {
            // A logger that throws costs its line, not the call.
        }
    }

    public void Dispose()
    {
        _disposed = true;
        foreach (var storm in (IEnumerable<LogStorm>)[.. _refused.Values, .. _exhausted.Values, .. _bodies.Values])
        {
            storm.Dispose();
        }
    }

    private bool Admits(ConcurrentDictionary<string, LogStorm> storms, string client, Action<ILogger, string, long, double> summarize) =>
        !_disposed
        && _logger.IsEnabled(LogLevel.Warning)
        && storms.GetOrAdd(
            client,
            static (client, state) => new LogStorm(state.Log._time, more => state.Summarize(state.Log._logger, client, more, LogStorm.Interval.TotalSeconds)),
            (Log: this, Summarize: summarize)).Admit();
}
