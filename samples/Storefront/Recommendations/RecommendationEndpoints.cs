using Storefront.Database;
using Storefront.Faults;
using Storefront.Upstreams;

namespace Storefront.Recommendations;

/// <summary>
/// Ideas what else to buy. It reads from the database while it waits for another service, so a bulkhead bounds how many
/// connections it can hold: nice to have must not take from what the shop lives on.
/// </summary>
internal static class RecommendationEndpoints
{
    public static void MapRecommendations(this IEndpointRouteBuilder app) =>
        app.MapGet("/recommendations", ListAsync)
            .WithBulkhead("recommendations")
            .WithFaultPoint(ServiceNames.Recommendations);

    private static async Task<IReadOnlyList<int>> ListAsync(
        RecommendationClient recommendations, StoreDatabase database, CancellationToken cancellationToken)
    {
        using var connection = await database.OpenAsync(cancellationToken);
        return await recommendations.RankAsync(connection.ProductsEverSold(), cancellationToken);
    }
}
