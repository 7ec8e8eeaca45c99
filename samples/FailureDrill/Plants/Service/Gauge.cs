using Microsoft.Extensions.Hosting;

namespace FailureDrill.Plants.Service;

/// <summary>An ordinary background service that nothing is wrong with: what happens to it is what happens to the siblings.</summary>
internal sealed class Gauge(Output output) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (true)
        {
            output.Measure();
            await Task.Delay(TimeSpan.FromMilliseconds(20), stoppingToken);
        }
    }
}
