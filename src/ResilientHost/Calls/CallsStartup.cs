using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Polly.Registry;

namespace ResilientHost.Calls;

/// <summary>Gives whatever registry the application ended up with its pipelines before any service starts.</summary>
/// <remarks>Resolves late: an invalid configuration then speaks as the validation error it is, not as a failed construction.</remarks>
internal sealed class CallsStartup(IServiceProvider services) : IHostedLifecycleService
{
    public Task StartingAsync(CancellationToken cancellationToken)
    {
        var registry = services.GetRequiredService<ResiliencePipelineRegistry<string>>();
        services.GetRequiredService<CallPipelines>().AddTo(registry);
        return Task.CompletedTask;
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
