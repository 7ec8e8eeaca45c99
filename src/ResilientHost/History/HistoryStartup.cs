using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace ResilientHost.History;

/// <summary>Records while the host runs, if anything is to be shown.</summary>
/// <remarks>Resolves late: an invalid configuration then speaks as the validation error it is, not as a failed construction.</remarks>
internal sealed class HistoryStartup(IServiceProvider services) : IHostedService
{
    private HistoryRecorder? _recorder;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _recorder = services.GetRequiredService<HistoryRecorder>();
        _recorder.Start();
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        _recorder?.Stop();
        return Task.CompletedTask;
    }
}
