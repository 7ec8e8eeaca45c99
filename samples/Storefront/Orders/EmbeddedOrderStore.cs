using System.Collections.Concurrent;

namespace Storefront.Orders;

/// <summary>Keeps orders for as long as the shop runs; for a shop without a database.</summary>
internal sealed class EmbeddedOrderStore : IOrderStore
{
    private readonly ConcurrentDictionary<string, Customer> _customers = new(StringComparer.Ordinal);

    public Task<IReadOnlyList<PastOrder>> ListAsync(string customer, CancellationToken cancellationToken) =>
        Task.FromResult(_customers.TryGetValue(customer, out var known) ? known.Latest() : []);

    public Task AddAsync(string customer, PastOrder order, CancellationToken cancellationToken)
    {
        _customers.GetOrAdd(customer, static _ => new Customer()).Add(order);
        return Task.CompletedTask;
    }

    private sealed class Customer
    {
        private readonly Lock _lock = new();
        private readonly List<PastOrder> _orders = [];

        public IReadOnlyList<PastOrder> Latest()
        {
            lock (_lock)
            {
                return [.. _orders.AsEnumerable().Reverse().Take(OrderTable.Latest)];
            }
        }

        public void Add(PastOrder order)
        {
            lock (_lock)
            {
                if (!_orders.Exists(kept => kept.Reference == order.Reference))
                {
                    _orders.Add(order);
                }
            }
        }
    }
}
