using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Hosting;
using ResilientHost.Hosting;

namespace ResilientHost.Dashboard;

/// <summary><c>GET events</c>: pages that are kept up to date by server-sent events.</summary>
/// <remarks>
/// <para>
/// Written by hand, and not by <c>TypedResults.ServerSentEvents</c>: that writes every event anew for each client, knows no sign of life, and hands a page that does not read to the server's buffers.
/// </para>
/// <para>Nothing is read and nothing is listened to while no page is open.</para>
/// </remarks>
internal sealed class StatusStreams : IDisposable
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
    private readonly Lock _gate = new();
    private StatusFeed? _feed;
    private int _open;

    public StatusStreams(
        ResilienceStatusReader reader,
        StatusFeedSources sources,
        Func<DashboardPolicy> policy,
        MonotonicClock clock,
        IHostEnvironment? environment = null,
        IHostApplicationLifetime? lifetime = null)
    {
        (_policy, _clock) = (policy, clock);
        _isDevelopment = environment?.IsDevelopment() == true;
        _stopping = lifetime?.ApplicationStopping ?? CancellationToken.None;
        _ofUsers = new(() => reader.Read(namesCallers: true));
        _ofStrangers = new(() => reader.Read(namesCallers: false));
        _start = () => new(_ofUsers, _ofStrangers, sources, policy, clock);
    }

    /// <summary>Streams that are open now.</summary>
    public int Open => _places.Taken;

    public async Task InvokeAsync(HttpContext context)
    {
        context.Response.Headers.CacheControl = "no-store";
        var user = UserOf(context);
        switch (_stopping.IsCancellationRequested ? StreamPlace.AllTaken : _places.TryTake(user, _policy()))
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
            await StreamAsync(context);
        }
        finally
        {
            Leave();
            _places.GiveBack(user);
        }
    }

    public void Dispose()
    {
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
            if (_open++ == 0)
            {
                _feed = _start();
            }
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
        context.User.Identity is { IsAuthenticated: true, Name: { } name } ? $"user {name}" : $"address {context.Connection.RemoteIpAddress}";

    private static Task RefuseAsync(HttpContext context, int status, string detail)
    {
        // Pages that were turned away together should not come back together.
        context.Response.Headers.RetryAfter = Random.Shared.Next(ShortestWaitSeconds, LongestWaitSeconds + 1).ToString(System.Globalization.CultureInfo.InvariantCulture);
        return TypedResults.Problem(detail, statusCode: status).ExecuteAsync(context);
    }
}
