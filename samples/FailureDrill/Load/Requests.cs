namespace FailureDrill.Load;

/// <summary>One kind of request that customers make.</summary>
internal sealed record Request(HttpMethod Method, string Path, string? Json = null);

/// <summary>What customers ask the shop for.</summary>
internal static class Requests
{
    public static readonly Request Products = new(HttpMethod.Get, "/products");
    public static readonly Request Price = new(HttpMethod.Get, "/prices/3");
    public static readonly Request Recommendations = new(HttpMethod.Get, "/recommendations");
    public static readonly Request Profile = new(HttpMethod.Get, "/profile");
    public static readonly Request Checkout = new(HttpMethod.Post, "/checkout", """{"productId":3,"quantity":1}""");

    public static IReadOnlyList<Request> All { get; } = [Products, Price, Recommendations, Profile, Checkout];

    /// <summary>Everything but the endpoint under attack.</summary>
    public static IReadOnlyList<Request> NeighboursOf(Request attacked) => [.. All.Where(request => request != attacked)];
}
