using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace ResilientHost.Workers;

/// <summary>Where a worker stands among the host's services: it is started there, and stopped.</summary>
/// <remarks>Resolves late: an invalid configuration, or none, then speaks for itself and not as a failed construction.</remarks>
internal sealed class WorkerService(WorkerRegistration registration, IServiceProvider services) : IHostedLifecycleService
{
    public WorkerRegistration Registration => registration;

    /// <exception cref="InvalidOperationException">The layers were not added.</exception>
    public Task StartingAsync(CancellationToken cancellationToken)
    {
        _ = Host;
        return Task.CompletedTask;
    }

    public Task StartAsync(CancellationToken cancellationToken) => Host.StartAsync(registration.Name);

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => services.GetService<WorkerHost>()?.StopAsync(registration.Name, cancellationToken) ?? Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private WorkerHost Host => services.GetService<WorkerHost>()
        ?? throw new InvalidOperationException($"Worker '{registration.Name}' was added with AddResilientWorker, but nothing supervises it. Call AddResilienceLayers() on the application's builder, or on its services.");
}
