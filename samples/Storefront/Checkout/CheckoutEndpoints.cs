using ResilientHost;
using Storefront.Database;
using Storefront.Faults;
using Storefront.Upstreams;

namespace Storefront.Checkout;

/// <summary>What a customer wants.</summary>
internal sealed record Order(int ProductId, int Quantity);

/// <summary>Proof that the order was paid.</summary>
internal sealed record Receipt(string Reference, int ProductId, int Quantity);

/// <summary>
/// The way to the money. It names its circuit, so that a broken payment service is left alone until it is well again, and
/// its bulkhead, so that customers who wait for a slow one do not hold every database connection of the shop. It has a timeout
/// but no fallback: where money moves, a made-up answer is worse than none. And it is what the shop lives on: when the shop itself is
/// out of breath, everything else is turned down first.
/// </summary>
internal static class CheckoutEndpoints
{
    public static void MapCheckout(this IEndpointRouteBuilder app) =>
        app.MapPost("/checkout", PostAsync)
            .WithCircuitBreaker("checkout")
            .WithBulkhead("checkout")
            .WithTimeout(TimeSpan.FromSeconds(2))
            .WithCriticality(Criticality.Critical)
            .WithFaultPoint(ServiceNames.Checkout);

    private static async Task<IResult> PostAsync(
        Order order, PaymentClient payments, StoreDatabase database, CancellationToken cancellationToken)
    {
        if (order.Quantity is < 1 or > 100)
        {
            return Results.ValidationProblem(
                new Dictionary<string, string[]>(StringComparer.Ordinal) { ["quantity"] = ["Between 1 and 100."] });
        }

        using var connection = await database.OpenAsync(cancellationToken);
        var reference = await payments.PayAsync(order, cancellationToken);
        connection.RecordSale(order.ProductId, order.Quantity);
        return Results.Ok(new Receipt(reference, order.ProductId, order.Quantity));
    }
}
