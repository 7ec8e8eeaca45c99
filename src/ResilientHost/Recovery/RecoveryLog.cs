using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using ResilientHost.Hosting;
using ResilientHost.Refusals;

namespace ResilientHost.Recovery;

/// <summary>Writes what recovery has to tell: storm-proof, escaped, capped, and contained. Thread-safe; no member throws.</summary>
/// <remarks>
/// A logger that throws is contained. One that blocks holds up the request, as it does everywhere else in the framework: entries are not
/// handed to another thread, where they would lose the request's scope and activity.
/// </remarks>
internal sealed partial class RecoveryLog : ICustomizationFailureLog, IDisposable
{
    private const int MaxNameLength = 512;
    private const int MaxLayersLength = 2048;
    private const string None = "-";

    private readonly ILogger _logger;
    private readonly Func<RecoveryPolicy> _policy;
    private readonly StormGate _storms;

    public RecoveryLog(ILogger<RecoveryLog> logger, Func<RecoveryPolicy> policy, MonotonicClock clock)
    {
        _logger = logger;
        _policy = policy;
        _storms = new StormGate(clock, policy, Summarize);
    }

    /// <summary>An exception that became an error answer, an abort, or trouble on the way there.</summary>
    public void Failure(FailureKind kind, HttpContext context, Exception exception, RecoveryScope scope, int status)
    {
        // Without a closure: it would be made for each failure of a storm.
        try
        {
            if (!_logger.IsEnabled(LogLevel.Error))
            {
                return;
            }

            var fingerprint = Fingerprint.Of(kind, exception, scope.Endpoint, isFresh: ReferenceEquals(scope.Fresh, exception));
            if (_storms.Admit(fingerprint))
            {
                Tell(kind, context, exception, scope, status, fingerprint.ExceptionType);
            }
        }
        catch (Exception)
        {
            // As Contain.
        }
    }

    /// <summary>An exception that is no failure: an answer below 500, or a refusal. Not the business of the people on call.</summary>
    public void Answered(HttpContext context, Exception exception, RecoveryScope scope, int status) => Contain(() =>
    {
        if (_logger.IsEnabled(LogLevel.Debug))
        {
            LogAnsweredBelow500(_logger, LogText.Clean(scope.Endpoint, MaxNameLength), TypeNames.Of(exception), status, RequestIdentity.TraceIdOf(context), RequestIdentity.RequestIdOf(context));
        }
    });

    public void ClientGone(HttpContext context, RecoveryScope scope) => Contain(() =>
    {
        if (_logger.IsEnabled(LogLevel.Debug))
        {
            LogClientGone(_logger, LogText.Clean(scope.Endpoint, MaxNameLength), RequestIdentity.TraceIdOf(context), RequestIdentity.RequestIdOf(context));
        }
    });

    public void CustomizationFailed(HttpContext context, Exception failure) => Contain(() =>
    {
        var endpoint = LogText.Clean(context.GetEndpoint()?.DisplayName, MaxNameLength);
        var fingerprint = Fingerprint.Of(FailureKind.CustomizationThrew, failure, endpoint);
        if (_logger.IsEnabled(LogLevel.Warning) && _storms.Admit(fingerprint))
        {
            LogCustomizationFailed(_logger, endpoint, fingerprint.ExceptionType, RequestIdentity.TraceIdOf(context), SafeException.ForLogger(failure));
        }
    });

    public void UnobservedTask(Exception exception) => Contain(() =>
    {
        // The aggregate says nothing; what is in it tells the storms apart.
        var fingerprint = Fingerprint.Of(FailureKind.UnobservedTask, exception is AggregateException { InnerException: { } inner } ? inner : exception, None);
        if (_logger.IsEnabled(LogLevel.Error) && _storms.Admit(fingerprint))
        {
            LogUnobservedTask(_logger, fingerprint.ExceptionType, SafeException.ForLogger(exception));
        }
    });

    public void Unhandled(Exception exception, bool isTerminating) => Contain(() =>
        LogUnhandled(_logger, TypeNames.Of(exception), isTerminating, SafeException.ForLogger(exception)));

    /// <summary>Sums up what is still only counted.</summary>
    public void Flush() => Contain(_storms.Flush);

    public void Dispose() => Contain(_storms.Dispose);

    private void Tell(FailureKind kind, HttpContext context, Exception exception, RecoveryScope scope, int status, string type)
    {
        var entry = new Entry(
            LogText.Clean(scope.Endpoint, MaxNameLength),
            LogText.Clean(context.Request.Method, 32),
            RequestIdentity.TraceIdOf(context),
            RequestIdentity.RequestIdOf(context),
            _policy().LogUserId ? UserOf(context) : None,
            LayersOf(scope));
        var shown = SafeException.ForLogger(exception);
        switch (kind)
        {
            case FailureKind.Aborted:
                LogAborted(_logger, entry.Endpoint, entry.Method, type, scope.Origin, entry.TraceId, entry.RequestId, entry.User, entry.Layers, shown);
                break;
            case FailureKind.FellBack:
                LogFellBack(_logger, entry.Endpoint, entry.Method, type, status, scope.Origin, entry.TraceId, entry.RequestId, entry.User, entry.Layers, shown);
                break;
            case FailureKind.HandlerThrew:
                LogHandlerThrew(_logger, entry.Endpoint, entry.Method, type, entry.TraceId, entry.RequestId, shown);
                break;
            case FailureKind.AnswerFailed:
                LogAnswerFailed(_logger, entry.Endpoint, entry.Method, type, entry.TraceId, entry.RequestId, shown);
                break;
            default:
                LogAnswered(_logger, entry.Endpoint, entry.Method, type, status, scope.Origin, entry.TraceId, entry.RequestId, entry.User, entry.Layers, shown);
                break;
        }
    }

    private void Summarize(StormSummary summary) => Contain(() =>
        LogRepeats(
            _logger,
            summary.Repeats,
            summary.Fingerprint.ExceptionType,
            LogText.Clean(summary.Fingerprint.Site.ToString(), MaxNameLength),
            LogText.Clean(summary.Fingerprint.Endpoint, MaxNameLength),
            summary.Fingerprint.Kind,
            summary.Interval.TotalSeconds));

    private static void Contain(Action write)
    {
        try
        {
            write();
        }
        catch (Exception)
        {
            // There is nowhere left to tell it: the logger itself failed, and the answer matters more.
        }
    }

    private static string UserOf(HttpContext context)
    {
        try
        {
            return context.User.Identity is { IsAuthenticated: true, Name: { Length: > 0 } name } ? LogText.Clean(name, 128) : None;
        }
        catch (Exception)
        {
            // An application's own principal; the entry is worth more than the name in it.
            return "(unreadable)";
        }
    }

    private static string LayersOf(RecoveryScope scope)
    {
        try
        {
            return scope.DescribeLayers() is { Length: > 0 } layers ? LogText.Clean(layers, MaxLayersLength) : None;
        }
        catch (Exception)
        {
            return "(unreadable)";
        }
    }

    private readonly record struct Entry(string Endpoint, string Method, string TraceId, string RequestId, string User, string Layers);
}
