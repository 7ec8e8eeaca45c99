using Microsoft.Extensions.Hosting;
using ResilientHost.Hosting;

namespace ResilientHost.Workers;

/// <summary>A background service that the host starts and stops. Its first run is the one that the host has started; the next ones are that instance, started again.</summary>
/// <param name="service">The service.</param>
/// <param name="gate">Closed when the host stops: from then on the service is the host's alone.</param>
/// <param name="stop">Tells the supervision that the host has stopped the service, or will.</param>
/// <param name="clock">Measures how long it takes to stop.</param>
/// <param name="log">Told what goes wrong beside.</param>
internal sealed class HostedServiceBody(BackgroundService service, StartGate gate, Action<Worker> stop, MonotonicClock clock, WorkerHostLog log) : IWorkerBody
{
    private bool _isWatched;
    private Task? _first;

    public BackgroundService Service => service;

    /// <summary>Whether this is how the run that the host has started failed: the host tells of that one only.</summary>
    public bool HasFailedWith(Exception? exception) =>
        _first is { IsCompleted: true } first && (first.IsCanceled ? exception is OperationCanceledException : first.Exception?.InnerExceptions.Contains(exception!) == true);

    /// <summary>The host has started the service.</summary>
    public void Started() => _first = service.ExecuteTask;

    public bool CanReplace => false;

    public bool HasContext => false;

    public bool PausesItself => false;

    // One run at a time: CanReplace says so.
    public Task RunAsync(WorkerRun run)
    {
        var isFirst = !_isWatched;
        _isWatched = true;
        return DetachedTask.Run(() => isFirst ? WatchAsync(run, lifetime: null) : StartAgainAsync(run));
    }

    private async Task StartAgainAsync(WorkerRun run)
    {
        if (!gate.TryEnter())
        {
            await EndWithHostAsync(run);
            return;
        }

        CancellationTokenSource lifetime;
        try
        {
            lifetime = await BackgroundServiceRun.StartAsync(service, run.Stopping);
        }
        finally
        {
            gate.Leave();
        }

        try
        {
            await WatchAsync(run, lifetime);
        }
        finally
        {
            // What the run left behind ends with it.
            await lifetime.CancelAsync();
        }
    }

    private async Task WatchAsync(WorkerRun run, CancellationTokenSource? lifetime)
    {
        var execution = service.ExecuteTask!;
        await Task.WhenAny(execution, BackgroundServiceRun.CancelledAsync(run.Stopping));
        if (!execution.IsCompleted && !gate.IsClosed)
        {
            if (await BackgroundServiceRun.StopAsync(service, run.Worker.Policy.StopTimeout, clock) is { } failure)
            {
                log.StopFailed(run, failure.SourceException);
            }

            // In case StopAsync did not get so far.
            await (lifetime?.CancelAsync() ?? Task.CompletedTask);
        }

        await execution.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (gate.IsClosed)
        {
            // However it ended: it is not to be started again, and what it threw is told as of a run that was stopping.
            await EndWithHostAsync(run);
        }

        await execution;
    }

    private async Task EndWithHostAsync(WorkerRun run)
    {
        stop(run.Worker);
        await BackgroundServiceRun.CancelledAsync(run.Stopping);
    }
}
