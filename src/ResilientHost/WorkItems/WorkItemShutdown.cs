using Microsoft.Extensions.Hosting;
using ResilientHost.Hosting;

namespace ResilientHost.WorkItems;

/// <summary>The last to look when the host has stopped: items of a worker that had failed for good, or waited for its restart, or never let go of them, are made dead letters.</summary>
internal sealed class WorkItemShutdown(WorkItemServices items, MonotonicClock clock) : IHostedLifecycleService
{
    // The host may be out of time when it gets here. Letters are written all the same for so long: they are all that is left of the items.
    private static readonly TimeSpan Least = TimeSpan.FromSeconds(2);

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task StoppedAsync(CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(Timeout.InfiniteTimeSpan, clock.Provider);
        await using var registration = cancellationToken.UnsafeRegister(static state => ((CancellationTokenSource)state!).CancelAfter(Least), limit);
        await items.BuryRestAsync(limit.Token);
    }
}
