using Storefront.Faults;
using Storefront.Upstreams;

namespace Storefront.Orders;

/// <summary>Makes a store behave as the switch of the orders says, and counts what reaches it.</summary>
internal sealed class FaultyOrderStore(IOrderStore store, FaultSwitches faults, UpstreamTraffic traffic) : IOrderStore
{
    public async Task<IReadOnlyList<PastOrder>> ListAsync(string customer, CancellationToken cancellationToken)
    {
        using var call = traffic.Of(ServiceNames.Orders).Begin();
        await MisbehaveAsync(cancellationToken);
        return await store.ListAsync(customer, cancellationToken);
    }

    public async Task AddAsync(string customer, PastOrder order, CancellationToken cancellationToken)
    {
        using var call = traffic.Of(ServiceNames.Orders).Begin();
        await MisbehaveAsync(cancellationToken);
        await store.AddAsync(customer, order, cancellationToken);
    }

    private async Task MisbehaveAsync(CancellationToken cancellationToken)
    {
        var fault = faults[ServiceNames.Orders];
        if (fault.Hang)
        {
            await Task.Delay(Timeout.Infinite, cancellationToken);
        }

        if (fault.LatencyMs > 0)
        {
            await Task.Delay(fault.LatencyMs, cancellationToken);
        }

        if (fault.Reset || Random.Shared.NextDouble() < fault.ErrorRate)
        {
            throw new IOException("The connection to the database broke, as its fault switch says.");
        }
    }
}
