using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace ResilientHost.Outbound;

/// <summary>Keeps a host from starting whose clients have layers without a suite, and makes known what clients there are before the first call.</summary>
internal sealed class HttpClientStartup(HttpClientLayers layers, IServiceProvider provider) : IHostedLifecycleService
{
    public Task StartingAsync(CancellationToken cancellationToken)
    {
        layers.ThrowIfWithoutSuite();
        return Task.CompletedTask;
    }

    public Task StartAsync(CancellationToken cancellationToken)
    {
        var clients = provider.GetRequiredService<OutboundClients>();
        foreach (var name in layers.Names)
        {
            clients.GetOrAdd(name);
        }

        return Task.CompletedTask;
    }

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
