using System.Diagnostics;
using Microsoft.Extensions.Hosting;

namespace FailureDrill.Plants.Service;

/// <summary>An ordinary background service. While it is torn it runs for a while each time, and throws.</summary>
internal sealed class Conveyor(Output output, Breakdowns breakdowns) : BackgroundService
{
    private static readonly TimeSpan Lasts = TimeSpan.FromMilliseconds(200);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var started = Stopwatch.GetTimestamp();
        while (true)
        {
            if (breakdowns.IsConveyorTorn && Stopwatch.GetElapsedTime(started) >= Lasts)
            {
                throw new InvalidOperationException("The belt is torn.");
            }

            output.Convey();
            await Task.Delay(TimeSpan.FromMilliseconds(20), stoppingToken);
        }
    }
}
