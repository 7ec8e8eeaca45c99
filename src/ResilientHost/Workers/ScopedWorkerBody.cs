using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using ResilientHost.Hosting;

namespace ResilientHost.Workers;

/// <summary>A worker of which every run has a new instance in a scope of its own.</summary>
internal sealed class ScopedWorkerBody(IServiceScopeFactory scopes, Func<IServiceProvider, object> create, bool pausesItself, MonotonicClock clock, WorkerHostLog log) : IWorkerBody
{
    public bool CanReplace => true;

    public bool HasContext => true;

    public bool PausesItself => pausesItself;

    public Task RunAsync(WorkerRun run) => DetachedTask.Run(() => RunInScopeAsync(run));

    private async Task RunInScopeAsync(WorkerRun run)
    {
        var scope = scopes.CreateAsyncScope();
        object? instance = null;
        try
        {
            var context = new WorkerContext(run, scope.ServiceProvider);
            scope.ServiceProvider.GetRequiredService<WorkerContextHolder>().Context = context;
            instance = create(scope.ServiceProvider);
            await (instance switch
            {
                IResilientWorker worker => worker.RunAsync(context, run.Stopping) ?? throw new InvalidOperationException($"RunAsync of worker '{run.Worker.Name}' returned null in place of a task."),
                BackgroundService service => RunAsync(service, run),
                null => throw new InvalidOperationException($"The factory of worker '{run.Worker.Name}' returned null."),
                _ => throw new InvalidOperationException($"The factory of worker '{run.Worker.Name}' returned a {TypeText.Of(instance.GetType())}, which is neither an {nameof(IResilientWorker)} nor a {nameof(BackgroundService)}."),
            });
        }
        finally
        {
            await LeaveAsync(run, instance, scope);
        }
    }

    private async Task RunAsync(BackgroundService service, WorkerRun run)
    {
        var lifetime = await BackgroundServiceRun.StartAsync(service, run.Stopping);
        var execution = service.ExecuteTask!;
        await Task.WhenAny(execution, BackgroundServiceRun.CancelledAsync(run.Stopping));

        // Of a service that has ended by itself, too: a host stops those as well, and it is where a service gives back what its StartAsync took.
        if (await BackgroundServiceRun.StopAsync(service, run.Worker.Policy.StopTimeout, clock) is { } failure)
        {
            log.StopFailed(run, failure.SourceException);
        }

        // In case StopAsync did not get so far.
        await lifetime.CancelAsync();
        await execution;
    }

    /// <summary>Disposes what the run had. Neither what that throws nor what hangs in it keeps the run from ending.</summary>
    private async Task LeaveAsync(WorkerRun run, object? instance, AsyncServiceScope scope)
    {
        var timeout = run.Worker.Policy.StopTimeout;
        try
        {
            // On a thread of its own: a Dispose may block, too.
            await Task.Run(() => DisposeAsync(run, instance, scope)).WaitAsync(timeout, clock.Provider);
        }
        catch (TimeoutException)
        {
            log.DisposalHangs(run, timeout);
        }
    }

    private async Task DisposeAsync(WorkerRun run, object? instance, AsyncServiceScope scope)
    {
        try
        {
            await DisposeAsync(instance);
        }
        catch (Exception exception)
        {
            log.DisposalFailed(run, exception);
        }

        try
        {
            await scope.DisposeAsync();
        }
        catch (Exception exception)
        {
            log.DisposalFailed(run, exception);
        }
    }

    private static async ValueTask DisposeAsync(object? instance)
    {
        if (instance is IAsyncDisposable asynchronous)
        {
            await asynchronous.DisposeAsync();
        }
        else
        {
            (instance as IDisposable)?.Dispose();
        }
    }
}
