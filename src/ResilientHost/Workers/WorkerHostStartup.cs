using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace ResilientHost.Workers;

/// <summary>Passes the host's phases on.</summary>
/// <remarks>Resolves late: an invalid configuration then speaks as the validation error it is, not as a failed construction.</remarks>
internal sealed class WorkerHostStartup(IServiceProvider services) : IHostedLifecycleService
{
    private WorkerHost? _host;
    private UnhandledExceptionContainment? _containment;
    private WorkerWatcher? _watcher;

    public Task StartingAsync(CancellationToken cancellationToken)
    {
        _containment = services.GetRequiredService<UnhandledExceptionContainment>();
        _containment.Start();
        var host = services.GetRequiredService<WorkerHost>();
        host.Prepare();
        _host = host;
        _watcher = services.GetRequiredService<WorkerWatcher>();
        _watcher.Start();
        return Task.CompletedTask;
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => _host?.SuperviseAsync() ?? Task.CompletedTask;

    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        if (_host is not null)
        {
            await _host.LeaveToHost().WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task StoppedAsync(CancellationToken cancellationToken)
    {
        if (_host is not null)
        {
            await _host.LeaveAsync();
        }

        _watcher?.Stop();
        _containment?.Stop();
    }
}
