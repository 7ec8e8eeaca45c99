using System.Net;

namespace Storefront.Pricing;

/// <summary>What a product costs today.</summary>
internal sealed record Price(int ProductId, decimal Amount, string Currency)
{
    /// <summary>Whether it comes from the printed list, since today's price could not be had.</summary>
    public bool IsEstimate { get; init; }
}

/// <summary>The pricing service.</summary>
internal sealed class PricingClient(HttpClient http)
{
    public async Task<Price?> FindAsync(int productId, CancellationToken cancellationToken)
    {
        using var response = await http.GetAsync($"/prices/{productId}", cancellationToken);
        return response.StatusCode == HttpStatusCode.NotFound
            ? null
            : await response.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<Price>(cancellationToken);
    }
}
