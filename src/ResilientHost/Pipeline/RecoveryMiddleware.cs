using Microsoft.AspNetCore.Http;
using ResilientHost.Connections;
using ResilientHost.Dashboard;
using ResilientHost.Hosting;
using ResilientHost.Recovery;
using ResilientHost.Refusals;

namespace ResilientHost.Pipeline;

/// <summary>The outermost catch: a throw in any middleware becomes a problem answer.</summary>
internal sealed class RecoveryMiddleware(RequestDelegate next, ResilienceSettingsSource settings, ExceptionRecovery recovery, ConnectionDoor door, RequestCompletions completions, OperationAttempts attempts)
{
    private RequestDelegate? _guarded;
    private RequestDelegate? _observed;

    public Task Invoke(HttpContext context) => attempts.MayBe(context.Request) ? attempts.WatchAsync(context, _observed ??= InvokeObserved) : InvokeObserved(context);

    private Task InvokeObserved(HttpContext context) => completions.IsEnabled ? completions.Watch(context, _guarded ??= InvokeGuarded) : InvokeGuarded(context);

    private Task InvokeGuarded(HttpContext context)
    {
        if (door.ClosesConnections)
        {
            CloseConnection(context);
        }

        var current = settings.Current;
        if (!current.Enabled || !current.Recovery.Enabled)
        {
            return next(context);
        }

        RequestIdentity.Echo(context);
        CutResponse.RememberServersBody(context.Features.FindResponseBody());
        Task task;
        try
        {
            task = next(context);
        }
        catch (Exception exception)
        {
            return RecoverAsync(context, exception);
        }
        finally
        {
            CutResponse.RememberServersBody(null);
        }

        // A task that was marked and has completed meanwhile stays noted. That does not matter: no task that is still running can be the same.
        return task.IsCompletedSuccessfully || HandledTask.Take(task) ? task : AwaitPipeline(context, task);
    }

    // HTTP/2 and later have no such header: there the server's own limits on streams must do.
    private static void CloseConnection(HttpContext context)
    {
        if (!context.Response.HasStarted && (HttpProtocol.IsHttp11(context.Request.Protocol) || HttpProtocol.IsHttp10(context.Request.Protocol)))
        {
            context.Response.Headers.Connection = "close";
        }
    }

    private async Task AwaitPipeline(HttpContext context, Task task)
    {
        try
        {
            await task;
        }
        catch (Exception exception)
        {
            await RecoverAsync(context, exception);
        }
    }

    // Middleware may hand one request's exception to another that waited for the same answer, as the output cache does: there it is a failure.
    private async Task RecoverAsync(HttpContext context, Exception exception)
    {
        var wasCut = CutResponse.IsMarked(context);
        if (exception is CutResponseException && wasCut)
        {
            return;
        }

        var (_, disposition) = await recovery.RecoverAsync(context, exception, new RecoveryScope { Origin = ExceptionOrigins.Pipeline });

        // An answer that was cut further in has been told there; what middleware makes of the broken connection is no news.
        if (!wasCut)
        {
            completions.Note(context, disposition);
        }
    }
}
