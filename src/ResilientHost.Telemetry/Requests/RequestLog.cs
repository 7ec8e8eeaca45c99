using System.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;
using ResilientHost.Pipeline;
using ResilientHost.Refusals;

namespace ResilientHost.Telemetry.Requests;

/// <summary>One event per request that has ended, and a span that says what it was.</summary>
/// <remarks>
/// Event and span name the route's pattern, never the path or the query: those hold ids, names and keys. The event carries no log scopes either, since the
/// framework's own names the path.
/// </remarks>
internal sealed partial class RequestLog : IRequestObserver
{
    /// <summary>A method that nobody knows is whatever a caller likes to write.</summary>
    public const string OtherMethod = "_OTHER";

    private const string NoRoute = "(no endpoint)";

    private static readonly ExecutionContext WithoutScopes = MakeEmptyContext();

    private readonly ILogger _logger;
    private readonly bool _logs;
    private readonly bool _describesSpans;
    private readonly bool _tracesOperations;

    public RequestLog(ILoggerFactory loggers, ResilienceTelemetryOptions options, Settings.TelemetrySettings settings)
    {
        _logger = loggers.CreateLogger("ResilientHost.Requests");
        _logs = options.LogRequests;
        _tracesOperations = options.TraceOperations;
        _describesSpans = settings.Traces is not null;
    }

    public bool IsEnabled => _describesSpans || (_logs && _logger.IsEnabled(LogLevel.Error));

    public void Completed(HttpContext context, in CompletedRequest request)
    {
        var activity = context.Features.Get<IHttpActivityFeature>()?.Activity;
        var (method, route) = (MethodOf(context.Request.Method), RouteOf(context.GetEndpoint()));
        if (_describesSpans && activity is { IsAllDataRequested: true })
        {
            RequestSpan.Describe(activity, context, method, route, request);
            if (request.IsOurs && !_tracesOperations && request.StatusCode < StatusCodes.Status500InternalServerError)
            {
                RequestSpan.LeaveOut(activity);
            }
        }

        var level = LevelOf(request);
        if (_logs && _logger.IsEnabled(level))
        {
            var state = (_logger, level, method, route ?? NoRoute, request, activity, RequestIdentity.TraceIdOf(context));
            ExecutionContext.Run(WithoutScopes, static state => Write(((ILogger, LogLevel, string, string, CompletedRequest, Activity?, string))state!), state);
        }
    }

    /// <summary>Who must act: somebody for an answer of 500 and above that nothing else tells of, nobody for what went as it should.</summary>
    private static LogLevel LevelOf(in CompletedRequest request) =>
        request.IsOurs ? LogLevel.Debug
        : request.StatusCode < StatusCodes.Status500InternalServerError ? LogLevel.Information
        : request.Disposition == RequestDisposition.Failed ? LogLevel.Error
        : LogLevel.Warning;

    private static void Write((ILogger Logger, LogLevel Level, string Method, string Route, CompletedRequest Request, Activity? Activity, string TraceId) state)
    {
        // The span's ids are for providers that read them off it. Both the activity and the scopes flow with the execution context.
        Activity.Current = state.Activity;
        var request = state.Request;
        LogCompleted(
            state.Logger, state.Level, state.Method, state.Route, request.StatusCode, Math.Round(request.Duration.TotalMilliseconds, 3), request.Disposition, state.TraceId);
    }

    private static string? RouteOf(Endpoint? endpoint) => endpoint is RouteEndpoint route ? route.RoutePattern.RawText ?? route.DisplayName : endpoint?.DisplayName;

    private static string MethodOf(string method) =>
        HttpMethods.IsGet(method) ? HttpMethods.Get
        : HttpMethods.IsPost(method) ? HttpMethods.Post
        : HttpMethods.IsPut(method) ? HttpMethods.Put
        : HttpMethods.IsDelete(method) ? HttpMethods.Delete
        : HttpMethods.IsPatch(method) ? HttpMethods.Patch
        : HttpMethods.IsHead(method) ? HttpMethods.Head
        : HttpMethods.IsOptions(method) ? HttpMethods.Options
        : HttpMethods.IsConnect(method) ? HttpMethods.Connect
        : HttpMethods.IsTrace(method) ? HttpMethods.Trace
        : OtherMethod;

    // Only a thread that nothing flowed to has it.
    private static ExecutionContext MakeEmptyContext()
    {
        ExecutionContext? empty = null;
        var thread = new Thread(() => empty = ExecutionContext.Capture());
        thread.UnsafeStart();
        thread.Join();
        return empty ?? throw new InvalidOperationException("There is no execution context without a flow.");
    }

    [LoggerMessage(EventId = EventIds.Telemetry, Message = "{Method} {Route} was answered with {StatusCode} in {DurationMs} ms ({Disposition}), trace {TraceId}.")]
    private static partial void LogCompleted(ILogger logger, LogLevel level, string method, string route, int statusCode, double durationMs, string disposition, string traceId);
}
