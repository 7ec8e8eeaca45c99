namespace Storefront.Upstreams;

/// <summary>The services behind the shop, as <c>/faults</c> and the configuration spell them.</summary>
internal static class ServiceNames
{
    public const string Catalogue = "catalogue";
    public const string Search = "search";
    public const string Pricing = "pricing";
    public const string Recommendations = "recommendations";
    public const string Checkout = "checkout";
    public const string Profile = "profile";
    public const string Orders = "orders";

    /// <summary>Those that the shop calls over HTTP.</summary>
    public static IReadOnlyList<string> OverHttp { get; } = [Catalogue, Search, Pricing, Recommendations, Checkout, Profile];

    /// <summary>Every one that has a switch: those, and the store of the orders.</summary>
    public static IReadOnlyList<string> All { get; } = [.. OverHttp, Orders];
}
