using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace ResilientHost.Degradation;

/// <summary>Samples while the host runs.</summary>
/// <remarks>Resolves late: an invalid configuration then speaks as the validation error it is, not as a failed construction.</remarks>
internal sealed class DegradationStartup(IServiceProvider services) : IHostedService
{
    private DegradationSampler? _sampler;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _ = services.GetRequiredService<DegradationMetrics>();
        _sampler = services.GetRequiredService<DegradationSampler>();
        _sampler.Start();
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        _sampler?.Stop();
        return Task.CompletedTask;
    }
}
