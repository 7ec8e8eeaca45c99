using System.Threading.Channels;
using Microsoft.Extensions.Hosting;

namespace FailureDrill.Plants.Service;

/// <summary>Packs what was ordered, as one writes it without the suite.</summary>
internal sealed class PackingLoop(Channel<Order> orders, Packer packer) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await foreach (var order in orders.Reader.ReadAllAsync(stoppingToken))
        {
            await packer.PackAsync(order, stoppingToken);
        }
    }
}
