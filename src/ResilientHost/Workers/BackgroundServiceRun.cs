using System.Runtime.ExceptionServices;
using Microsoft.Extensions.Hosting;
using ResilientHost.Hosting;

namespace ResilientHost.Workers;

/// <summary>One run of a <see cref="BackgroundService"/>, as its host would start and stop it.</summary>
internal static class BackgroundServiceRun
{
    /// <summary>Starts the service; what it does then is in its <see cref="BackgroundService.ExecuteTask"/>.</summary>
    /// <returns>Ends what the run left behind when it is disposed.</returns>
    /// <exception cref="InvalidOperationException">The service did not begin to execute.</exception>
    public static async Task<CancellationTokenSource> StartAsync(BackgroundService service, CancellationToken stopping)
    {
        var before = service.ExecuteTask;

        // The token of the start is also an end of the run's; from here on that is StopAsync, for a service may have something to do before.
        var lifetime = new CancellationTokenSource();
        using (stopping.UnsafeRegister(static state => _ = ((CancellationTokenSource)state!).CancelAsync(), lifetime))
        {
            await service.StartAsync(lifetime.Token);
        }

        return service.ExecuteTask is not null && service.ExecuteTask != before
            ? lifetime
            : throw new InvalidOperationException($"{TypeText.Of(service.GetType())} does not run: its StartAsync must call base.StartAsync before it returns.");
    }

    /// <summary>Tells the service to stop.</summary>
    /// <param name="service">A service that was started.</param>
    /// <param name="timeout">How long it is waited for, and how long the service is told that it may take.</param>
    /// <param name="clock">Measures it.</param>
    /// <returns>What the service threw; a service that takes longer throws nothing.</returns>
    public static async Task<ExceptionDispatchInfo?> StopAsync(BackgroundService service, TimeSpan timeout, MonotonicClock clock)
    {
        using var limit = new CancellationTokenSource(timeout, clock.Provider);
        try
        {
            await service.StopAsync(limit.Token).WaitAsync(limit.Token);
            return null;
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested)
        {
            return null;
        }
        catch (Exception exception)
        {
            return ExceptionDispatchInfo.Capture(exception);
        }
    }

    /// <summary>Ends when the token is cancelled.</summary>
    public static async Task CancelledAsync(CancellationToken token)
    {
        var cancelled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using (token.UnsafeRegister(static state => ((TaskCompletionSource)state!).TrySetResult(), cancelled))
        {
            await cancelled.Task;
        }
    }
}
