namespace Storefront.Database;

/// <summary>One connection of the pool, held until disposed.</summary>
internal sealed class StoreConnection(StoreDatabase database) : IDisposable
{
    private bool _returned;

    public int SoldOf(int productId) => database.Sold.GetValueOrDefault(productId);

    public int[] ProductsEverSold() => [.. database.Sold.Keys.DefaultIfEmpty(1).Order()];

    public void RecordSale(int productId, int quantity) =>
        database.Sold.AddOrUpdate(productId, quantity, (_, sold) => sold + quantity);

    public void Dispose()
    {
        if (!_returned)
        {
            _returned = true;
            database.Return();
        }
    }
}
