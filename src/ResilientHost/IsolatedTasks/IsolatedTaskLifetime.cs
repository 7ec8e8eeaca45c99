using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using ResilientHost.Hosting;

namespace ResilientHost.IsolatedTasks;

/// <summary>Watches isolated tasks while the host runs, and drains them when everything that may start one has stopped.</summary>
/// <remarks>Resolves late: an invalid configuration then speaks as the validation error it is, not as a failed construction.</remarks>
internal sealed class IsolatedTaskLifetime(IServiceProvider services, IOptions<HostOptions> host) : IHostedLifecycleService
{
    private MonotonicClock? _clock;
    private LeakWatch? _watch;
    private long _stoppingSince;

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _clock = services.GetRequiredService<MonotonicClock>();
        _watch = services.GetRequiredService<LeakWatch>();
        _watch.Start();
        return Task.CompletedTask;
    }

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken)
    {
        _stoppingSince = _clock?.Timestamp() ?? 0;
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>After every StopAsync: requests and workers that are still at it may start tasks until here.</summary>
    public async Task StoppedAsync(CancellationToken cancellationToken)
    {
        if (_watch is null)
        {
            return;
        }

        _watch.Stop();
        var policy = services.GetRequiredService<Func<IsolatedTaskPolicy>>();
        await services.GetRequiredService<IsolatedTaskRunner>().DrainAsync(Limit(policy().DrainTimeout), cancellationToken);
    }

    // Within what the others have left of the host's time, so that tasks are told to end before it is over.
    private TimeSpan Limit(TimeSpan limit)
    {
        var total = host.Value.ShutdownTimeout;
        if (total < TimeSpan.Zero)
        {
            return limit;
        }

        var left = total - _clock!.Elapsed(_stoppingSince, _clock.Timestamp());
        return left < TimeSpan.Zero ? TimeSpan.Zero : left < limit ? left : limit;
    }
}
