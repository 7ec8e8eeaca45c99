namespace Storefront.Orders;

/// <summary>Something the customer bought before.</summary>
internal sealed record PastOrder(string Reference, int ProductId, int Quantity);

/// <summary>Where orders are kept.</summary>
internal interface IOrderStore
{
    /// <summary>The customer's latest orders, the newest first.</summary>
    Task<IReadOnlyList<PastOrder>> ListAsync(string customer, CancellationToken cancellationToken);

    /// <summary>Keeps an order. May be called again with the same reference: the first call counts.</summary>
    Task AddAsync(string customer, PastOrder order, CancellationToken cancellationToken);
}
