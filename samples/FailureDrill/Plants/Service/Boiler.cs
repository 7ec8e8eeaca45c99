using Microsoft.Extensions.Hosting;

namespace FailureDrill.Plants.Service;

/// <summary>An ordinary background service that the plant cannot do without. Broken, it throws as soon as it runs, however often it is started.</summary>
internal sealed class Boiler(Breakdowns breakdowns) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!breakdowns.IsBoilerBroken)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20), stoppingToken);
        }

        throw new InvalidOperationException("The boiler leaks.");
    }
}
