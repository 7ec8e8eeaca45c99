using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using ResilientHost.Hosting;
using ResilientHost.Telemetry;

namespace ResilientHost.Dashboard;

/// <summary><c>GET events</c>: pages that are kept up to date by server-sent events.</summary>
/// <remarks>
/// <para>
/// Written by hand, and not by <c>TypedResults.ServerSentEvents</c>: that writes every event anew for each client, knows no sign of life, and hands a page that does not read to the server's buffers.
/// </para>
/// <para>Nothing is read and nothing is listened to while no page is open.</para>
/// </remarks>
internal sealed partial class StatusStreams : IDisposable
{
    private const int ShortestWaitSeconds = 5;
    private const int LongestWaitSeconds = 15;

    private readonly StreamPlaces _places = new();
    private readonly StatusView _ofUsers;
    private readonly StatusView _ofStrangers;
    private readonly Func<StatusFeed> _start;
    private readonly Func<DashboardPolicy> _policy;
    private readonly MonotonicClock _clock;
    private readonly bool _isDevelopment;
    private readonly CancellationToken _stopping;
    private readonly ILogger _logger;
    private readonly LogStorm _failures;
    private readonly Lock _gate = new();
    private StatusFeed? _feed;
    private int _open;

    public StatusStreams(
        ResilienceStatusReader reader,
        StatusFeedSources sources,
        Func<DashboardPolicy> policy,
        MonotonicClock clock,
        ILogger<StatusStreams> logger,
        IHostEnvironment? environment = null,
        IHostApplicationLifetime? lifetime = null)
    {
        (_policy, _clock, _logger) = (policy, clock, logger);
        _failures = new(clock.Provider, more => LogMoreFailed(_logger, more, LogStorm.Interval.TotalSeconds));
        _isDevelopment = environment?.IsDevelopment() == true;
        _stopping = lifetime?.ApplicationStopping ?? CancellationToken.None;
        _ofUsers = new(() => reader.Read(namesCallers: true));
        _ofStrangers = new(() => reader.Read(namesCallers: false));
        _start = () => new(_ofUsers, _ofStrangers, sources, policy, clock, TellFailed);
    }

    /// <summary>Streams that are open now.</summary>
    public int Open => _places.Taken;

    public async Task InvokeAsync(HttpContext context)
    {
        context.Response.Headers.CacheControl = "no-store";
        var user = UserOf(context);
        switch (_stopping.IsCancellationRequested ? StreamPlace.AllTaken : _places.TryTake(user, _policy(), MakesRoom))
        {
            case StreamPlace.UserHasTooMany:
                await RefuseAsync(context, StatusCodes.Status429TooManyRequests, "As many streams of yours are open as may be. Close a page, or ask GET status now and then.");
                return;
            case StreamPlace.AllTaken:
                await RefuseAsync(context, StatusCodes.Status503ServiceUnavailable, "No further stream can be opened at present. Ask GET status now and then.");
                return;
        }

        try
        {
            Enter();
            try
            {
                await StreamAsync(context);
            }
            finally
            {
                Leave();
            }
        }
        finally
        {
            _places.GiveBack(user);
        }

        // Strangers, of whom there may be any number, must not keep those on call from their page.
        bool MakesRoom() => context.User.Identity is { IsAuthenticated: true } && _ofStrangers.EndOne();
    }

    public void Dispose()
    {
        _failures.Dispose();
        lock (_gate)
        {
            _feed?.Dispose();
            _feed = null;
        }
    }

    private async Task StreamAsync(HttpContext context)
    {
        context.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        var headers = context.Response.Headers;
        headers.ContentType = "text/event-stream";
        headers["X-Accel-Buffering"] = "no";
        headers.XContentTypeOptions = "nosniff";
        using var stream = new StatusStream(_clock, context.RequestAborted, _stopping);
        try
        {
            await stream.RunAsync(_isDevelopment || context.User.Identity is { IsAuthenticated: true } ? _ofUsers : _ofStrangers, context.Response.BodyWriter);
        }
        catch (Exception error) when (error is OperationCanceledException or IOException)
        {
            // In the midst of a write. A page that does not read would hold the connection, and with it the host's stopping.
            context.Abort();
        }
    }

    private void Enter()
    {
        lock (_gate)
        {
            // Counted once it has begun: whoever comes next would wait for the news of one that never did.
            _feed ??= _start();
            _open++;
        }
    }

    private void Leave()
    {
        lock (_gate)
        {
            if (--_open == 0)
            {
                _feed?.Dispose();
                _feed = null;
            }
        }
    }

    // Never by what a header says of the address: anyone could be as many users as they like.
    private static string UserOf(HttpContext context) =>
        OperationAudit.UserOf(context) is { } user ? $"user {user}" : $"address {context.Connection.RemoteIpAddress}";

    private static Task RefuseAsync(HttpContext context, int status, string detail)
    {
        // Pages that were turned away together should not come back together.
        context.Response.Headers.RetryAfter = Random.Shared.Next(ShortestWaitSeconds, LongestWaitSeconds + 1).ToString(System.Globalization.CultureInfo.InvariantCulture);
        return TypedResults.Problem(detail, statusCode: status).ExecuteAsync(context);
    }

    private void TellFailed(Exception exception)
    {
        try
        {
            if (_failures.Admit())
            {
                LogFailed(_logger, exception);
            }
        }
        catch (Exception)
        {
            // Nobody is left to tell.
        }
    }

    [LoggerMessage(EventIds.Dashboard + 24, LogLevel.Error, "Pages of the dashboard could not be told what has changed; they are told with the next change.", EventName = "TellingFailed")]
    private static partial void LogFailed(ILogger logger, Exception exception);

    [LoggerMessage(EventIds.Dashboard + 25, LogLevel.Error, "{Count} more times pages of the dashboard could not be told what has changed within {Seconds} s.", EventName = "TellingFailedMore")]
    private static partial void LogMoreFailed(ILogger logger, long count, double seconds);
}
