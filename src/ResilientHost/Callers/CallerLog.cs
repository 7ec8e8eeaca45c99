using Microsoft.Extensions.Logging;
using ResilientHost.Hosting;
using ResilientHost.Recovery;
using ResilientHost.Telemetry;

namespace ResilientHost.Callers;

/// <summary>Tells of the application's delegates that throw, once and then by count.</summary>
/// <remarks>
/// Thread-safe; no member throws. Only type and place of an exception are told: its message may hold the very key, as that of a dictionary that has no such entry does.
/// </remarks>
internal sealed partial class CallerLog : IDisposable
{
    private readonly ILogger _logger;
    private readonly LogStorm _trust;
    private readonly LogStorm _keys;

    public CallerLog(ILogger<CallerLog> logger, MonotonicClock clock)
    {
        _logger = logger;
        _trust = new LogStorm(clock.Provider, more => MoreTrustFailed(more, LogStorm.Interval.TotalSeconds));
        _keys = new LogStorm(clock.Provider, more => MoreKeyFailed(more, LogStorm.Interval.TotalSeconds));
    }

    public void TrustFailed(Exception exception) => Tell(_trust, exception, FirstTrustFailed);

    public void KeyFailed(Exception exception) => Tell(_keys, exception, FirstKeyFailed);

    public void Dispose()
    {
        _trust.Dispose();
        _keys.Dispose();
    }

    private void Tell(LogStorm storm, Exception exception, Action<string, string> first)
    {
        try
        {
            if (_logger.IsEnabled(LogLevel.Error) && storm.Admit())
            {
                first(TypeNames.Of(exception), ThrowSite.Of(exception).ToString());
            }
        }
        catch (Exception)
        {
            // A logger that throws costs its line, not the call.
        }
    }
}
