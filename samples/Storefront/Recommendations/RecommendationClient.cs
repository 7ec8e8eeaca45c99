namespace Storefront.Recommendations;

/// <summary>The recommendation service: ranks products for a customer.</summary>
internal sealed class RecommendationClient(HttpClient http)
{
    public async Task<IReadOnlyList<int>> RankAsync(IReadOnlyList<int> productIds, CancellationToken cancellationToken)
    {
        using var response = await http.PostAsJsonAsync("/rank", productIds, cancellationToken);
        return await response.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<int[]>(cancellationToken) ?? [];
    }
}
