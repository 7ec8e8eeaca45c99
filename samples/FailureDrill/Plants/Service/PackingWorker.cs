using ResilientHost;

namespace FailureDrill.Plants.Service;

/// <summary>Packs what was ordered, each order isolated from the others.</summary>
internal sealed class PackingWorker(JournaledChannel<Order> orders, Packer packer) : IResilientWorker
{
    public Task RunAsync(WorkerContext context, CancellationToken stoppingToken) => context.ProcessAsync(
        orders, packer.PackAsync, new() { Name = "pack", MaxRetries = 2, RetryDelay = TimeSpan.FromMilliseconds(20) }, stoppingToken);
}
