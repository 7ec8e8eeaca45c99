using System.Collections.Concurrent;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using ResilientHost.Hosting;
using ResilientHost.Recovery;
using ResilientHost.Refusals;
using ResilientHost.Telemetry;

namespace ResilientHost.Fallbacks;

/// <summary>Tells of fallbacks: the first of a kind in full, the others of an outage summed up. Thread-safe; no member throws.</summary>
internal sealed partial class FallbackLog(ILogger<FallbackLog> logger, MonotonicClock clock) : IDisposable
{
    // Endpoints are finite, and so are kinds and reasons: so is this.
    private readonly ConcurrentDictionary<(string Endpoint, string Kind, string? Reason), LogStorm> _storms = new();

    public void Served(HttpContext context, string endpoint, string kind, in FallbackCause cause)
    {
        try
        {
            if (logger.IsEnabled(LogLevel.Warning) && StormOf(endpoint, kind, null).Admit())
            {
                LogServed(logger, endpoint, kind, cause.Describe(), RequestIdentity.TraceIdOf(context), RequestIdentity.RequestIdOf(context));
            }
        }
        catch (Exception)
        {
            // A logger that throws costs its line, not the answer.
        }
    }

    /// <param name="context">The request.</param>
    /// <param name="endpoint">Its endpoint.</param>
    /// <param name="kind">Which fallback.</param>
    /// <param name="reason">One of <see cref="ResilienceDiagnostics.FallbackTagValues"/>.</param>
    /// <param name="what">The same for people.</param>
    /// <param name="exception">What it threw, if it did.</param>
    public void Failed(HttpContext context, string endpoint, string kind, string reason, string what, Exception? exception)
    {
        try
        {
            if (logger.IsEnabled(LogLevel.Error) && StormOf(endpoint, kind, reason).Admit())
            {
                LogFailed(
                    logger, kind, endpoint, what, RequestIdentity.TraceIdOf(context), RequestIdentity.RequestIdOf(context),
                    exception is null ? null : SafeException.ForLogger(exception));
            }
        }
        catch (Exception)
        {
            // As above.
        }
    }

    public void Dispose()
    {
        foreach (var (_, storm) in _storms)
        {
            storm.Dispose();
        }
    }

    private LogStorm StormOf(string endpoint, string kind, string? reason) => _storms.GetOrAdd(
        (endpoint, kind, reason),
        static (key, log) => new LogStorm(log.Provider, more => log.Summarize(key.Endpoint, key.Kind, key.Reason, more)),
        this);

    private TimeProvider Provider => clock.Provider;

    private void Summarize(string endpoint, string kind, string? reason, long more)
    {
        if (reason is null)
        {
            LogServedMore(logger, more, kind, endpoint, LogStorm.Interval.TotalSeconds);
        }
        else
        {
            LogFailedMore(logger, more, kind, endpoint, reason, LogStorm.Interval.TotalSeconds);
        }
    }

    [LoggerMessage(EventIds.Fallbacks + 40, LogLevel.Warning, "{Endpoint} was answered by its fallback ({FallbackKind}) in place of {Cause}. Trace {TraceId}, request {RequestId}.")]
    private static partial void LogServed(ILogger logger, string endpoint, string fallbackKind, string cause, string traceId, string requestId);

    [LoggerMessage(EventIds.Fallbacks + 41, LogLevel.Warning, "{Count} more answers by the fallback ({FallbackKind}) of {Endpoint} within {Seconds} s.")]
    private static partial void LogServedMore(ILogger logger, long count, string fallbackKind, string endpoint, double seconds);

    [LoggerMessage(EventIds.Fallbacks + 42, LogLevel.Error, "The fallback ({FallbackKind}) of {Endpoint} gave no answer: {Reason}. Trace {TraceId}, request {RequestId}.")]
    private static partial void LogFailed(ILogger logger, string fallbackKind, string endpoint, string reason, string traceId, string requestId, Exception? exception);

    [LoggerMessage(EventIds.Fallbacks + 43, LogLevel.Error, "{Count} more times the fallback ({FallbackKind}) of {Endpoint} gave no answer ({Reason}) within {Seconds} s.")]
    private static partial void LogFailedMore(ILogger logger, long count, string fallbackKind, string endpoint, string reason, double seconds);
}
