namespace Storefront.Catalogue;

/// <summary>What the search index knows of a thing to buy.</summary>
internal sealed record SearchEntry(int Id, string Name);

/// <summary>The search service: its index is another place that knows the names of all products.</summary>
internal sealed class SearchClient(HttpClient http)
{
    public async Task<IReadOnlyList<SearchEntry>> ListAsync(CancellationToken cancellationToken) =>
        await http.GetFromJsonAsync<SearchEntry[]>("/names", cancellationToken) ?? [];
}
