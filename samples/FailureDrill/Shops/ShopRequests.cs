using FailureDrill.Load;

namespace FailureDrill.Shops;

/// <summary>What customers ask the shop for.</summary>
internal static class ShopRequests
{
    public static readonly Request Products = new(HttpMethod.Get, "/products");
    public static readonly Request Product = new(HttpMethod.Get, "/products/3");
    public static readonly Request Price = new(HttpMethod.Get, "/prices/3");
    public static readonly Request Recommendations = new(HttpMethod.Get, "/recommendations");
    public static readonly Request Profile = new(HttpMethod.Get, "/profile");
    public static readonly Request Checkout = new(HttpMethod.Post, "/checkout", """{"productId":3,"quantity":1}""");

    public static IReadOnlyList<Request> All { get; } = [Products, Product, Price, Recommendations, Profile, Checkout];

    /// <summary>Everything but the endpoint under attack, and what asks the same service behind the shop.</summary>
    public static IReadOnlyList<Request> NeighboursOf(Request attacked) =>
        [.. All.Where(request => !ServiceOf(request).Equals(ServiceOf(attacked), StringComparison.Ordinal))];

    private static string ServiceOf(Request request) => request.Path.Split('/')[1];
}
