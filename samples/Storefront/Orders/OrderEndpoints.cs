using System.Security.Claims;
using Storefront.Faults;
using Storefront.Upstreams;

namespace Storefront.Orders;

/// <summary>What a customer bought before, as far as it is known.</summary>
internal sealed record OrderHistory(string Customer, IReadOnlyList<PastOrder> Orders, bool IsComplete);

/// <summary>
/// Past orders, for who has signed in. The fallback is behind the same door: an anonymous caller gets 401, whether the service
/// behind is well or not.
/// </summary>
internal static class OrderEndpoints
{
    public static void MapOrders(this IEndpointRouteBuilder app) =>
        app.MapGet("/orders", ListAsync)
            .RequireAuthorization()
            .WithFallback(ListNothing)
            .WithFaultPoint(ServiceNames.Orders);

    private static async Task<OrderHistory> ListAsync(ClaimsPrincipal customer, OrderClient orders, CancellationToken cancellationToken) =>
        new(NameOf(customer), await orders.ListAsync(NameOf(customer), cancellationToken), IsComplete: true);

    private static OrderHistory ListNothing(ClaimsPrincipal customer) => new(NameOf(customer), [], IsComplete: false);

    private static string NameOf(ClaimsPrincipal customer) => customer.Identity?.Name ?? "";
}
