using Storefront.Faults;
using Storefront.Upstreams;

namespace Storefront.Pricing;

/// <summary>What things cost.</summary>
internal static class PricingEndpoints
{
    public static void MapPricing(this IEndpointRouteBuilder app) =>
        app.MapGet("/prices/{productId:int}", FindAsync).WithFaultPoint(ServiceNames.Pricing);

    private static async Task<IResult> FindAsync(int productId, PricingClient pricing, CancellationToken cancellationToken) =>
        await pricing.FindAsync(productId, cancellationToken) is { } price ? Results.Ok(price) : Results.NotFound();
}
