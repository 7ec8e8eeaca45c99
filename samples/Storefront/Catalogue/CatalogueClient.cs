namespace Storefront.Catalogue;

/// <summary>One thing to buy, as the catalogue service describes it.</summary>
internal sealed record CatalogueItem(int Id, string Name, string Note);

/// <summary>The catalogue service.</summary>
internal sealed class CatalogueClient(HttpClient http)
{
    public async Task<IReadOnlyList<CatalogueItem>> ListAsync(CancellationToken cancellationToken) =>
        await http.GetFromJsonAsync<CatalogueItem[]>("/items", cancellationToken) ?? [];
}
