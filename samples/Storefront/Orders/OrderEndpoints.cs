using System.Security.Claims;
using Storefront.Faults;
using Storefront.Upstreams;

namespace Storefront.Orders;

/// <summary>What a customer bought before, as far as it is known.</summary>
internal sealed record OrderHistory(string Customer, IReadOnlyList<PastOrder> Orders, bool IsComplete);

/// <summary>What was bought.</summary>
internal sealed record OrderContent(int ProductId, int Quantity);

/// <summary>
/// Past orders, for who has signed in. The fallback is behind the same door: an anonymous caller gets 401, whether the database
/// behind is well or not. There is none for keeping an order: "kept" must be true. The receipt is its key, so that who
/// got no answer asks again.
/// </summary>
internal static class OrderEndpoints
{
    private const int MaxReferenceLength = 64;

    public static void MapOrders(this IEndpointRouteBuilder app)
    {
        app.MapGet("/orders", ListAsync)
            .RequireAuthorization()
            .WithFallback(ListNothing)
            .WithFaultPoint(ServiceNames.Orders);
        app.MapPut("/orders/{reference}", KeepAsync)
            .RequireAuthorization()
            .WithFaultPoint(ServiceNames.Orders);
    }

    private static async Task<OrderHistory> ListAsync(ClaimsPrincipal customer, OrderBook orders, CancellationToken cancellationToken) =>
        new(NameOf(customer), await orders.ListAsync(NameOf(customer), cancellationToken), IsComplete: true);

    private static OrderHistory ListNothing(ClaimsPrincipal customer) => new(NameOf(customer), [], IsComplete: false);

    private static async Task<IResult> KeepAsync(
        string reference, OrderContent order, ClaimsPrincipal customer, OrderBook orders, CancellationToken cancellationToken)
    {
        if (Errors(reference, order) is { Count: > 0 } errors)
        {
            return Results.ValidationProblem(errors);
        }

        await orders.AddAsync(NameOf(customer), new PastOrder(reference, order.ProductId, order.Quantity), cancellationToken);
        return Results.NoContent();
    }

    private static Dictionary<string, string[]> Errors(string reference, OrderContent order)
    {
        var errors = new Dictionary<string, string[]>(StringComparer.Ordinal);
        if (reference.Length > MaxReferenceLength || !reference.All(char.IsAsciiLetterOrDigit))
        {
            errors["reference"] = [$"At most {MaxReferenceLength} letters and digits."];
        }

        if (order.Quantity is < 1 or > 100)
        {
            errors["quantity"] = ["Between 1 and 100."];
        }

        return errors;
    }

    private static string NameOf(ClaimsPrincipal customer) => customer.Identity?.Name ?? "";
}
