using Storefront.Faults;
using Storefront.Upstreams;

namespace Storefront.Pricing;

/// <summary>What things cost. Six of them are asked for with every look at the shop, so none may take long, and a price about right is better than none.</summary>
internal static class PricingEndpoints
{
    public static void MapPricing(this IEndpointRouteBuilder app) =>
        app.MapGet("/prices/{productId:int}", FindAsync)
            .WithTimeout(TimeSpan.FromMilliseconds(400))
            .WithFallback(FindPrinted)
            .WithFaultPoint(ServiceNames.Pricing);

    private static async Task<IResult> FindAsync(int productId, PricingClient pricing, CancellationToken cancellationToken) =>
        await pricing.FindAsync(productId, cancellationToken) is { } price ? Results.Ok(price) : Results.NotFound();

    private static IResult FindPrinted(int productId) =>
        PriceList.Find(productId) is { } price ? Results.Ok(price) : Results.NotFound();
}
