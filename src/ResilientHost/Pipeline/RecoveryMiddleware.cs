using Microsoft.AspNetCore.Http;
using ResilientHost.Hosting;
using ResilientHost.Recovery;
using ResilientHost.Refusals;

namespace ResilientHost.Pipeline;

/// <summary>The outermost catch: a throw in any middleware becomes a problem answer.</summary>
internal sealed class RecoveryMiddleware(RequestDelegate next, ResilienceSettingsSource settings, ExceptionRecovery recovery)
{
    public Task Invoke(HttpContext context)
    {
        var current = settings.Current;
        if (!current.Enabled || !current.Recovery.Enabled)
        {
            return next(context);
        }

        RequestIdentity.Echo(context);
        Task task;
        try
        {
            task = next(context);
        }
        catch (Exception exception)
        {
            return RecoverAsync(context, exception);
        }

        return HandledTask.Take(task) || task.IsCompletedSuccessfully ? task : AwaitPipeline(context, task);
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

    private Task RecoverAsync(HttpContext context, Exception exception) => exception is CutResponseException
        ? Task.CompletedTask
        : recovery.RecoverAsync(context, exception, new RecoveryScope { Origin = ExceptionOrigins.Pipeline });
}
