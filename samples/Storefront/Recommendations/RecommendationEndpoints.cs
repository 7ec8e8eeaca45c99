using ResilientHost;
using Storefront.Database;
using Storefront.Faults;
using Storefront.Upstreams;

namespace Storefront.Recommendations;

/// <summary>
/// Ideas what else to buy. It reads from the database while it waits for another service, so a bulkhead bounds how many
/// connections it can hold: nice to have must not take from what the shop lives on. So it is also the first to go when the shop is
/// out of breath. Who is refused, or waits in vain, sees what sells best.
/// </summary>
internal static class RecommendationEndpoints
{
    // Chosen by people and kept in memory: a fallback that asked the database would take what the bulkhead saves.
    private static readonly IReadOnlyList<int> Bestsellers = [4, 1, 6];

    public static void MapRecommendations(this IEndpointRouteBuilder app) =>
        app.MapGet("/recommendations", ListAsync)
            .WithBulkhead("recommendations")
            .WithCriticality(Criticality.Sheddable)
            .WithFallback(() => Bestsellers)
            .WithFaultPoint(ServiceNames.Recommendations);

    private static async Task<IReadOnlyList<int>> ListAsync(
        RecommendationClient recommendations, StoreDatabase database, CancellationToken cancellationToken)
    {
        using var connection = await database.OpenAsync(cancellationToken);
        return await recommendations.RankAsync(connection.ProductsEverSold(), cancellationToken);
    }
}
