namespace Storefront.Orders;

/// <summary>Something the customer bought before.</summary>
internal sealed record PastOrder(string Reference, int ProductId, int Quantity);

/// <summary>The service that keeps the orders.</summary>
internal sealed class OrderClient(HttpClient http)
{
    public async Task<IReadOnlyList<PastOrder>> ListAsync(string customer, CancellationToken cancellationToken) =>
        await http.GetFromJsonAsync<PastOrder[]>($"/orders/{Uri.EscapeDataString(customer)}", cancellationToken) ?? [];
}
