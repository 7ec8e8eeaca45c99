using FailureDrill.Load;

namespace FailureDrill.Kiosks;

/// <summary>What customers ask the kiosk for.</summary>
internal static class KioskRequests
{
    public static readonly Request Hours = new(HttpMethod.Get, "/hours");
    public static readonly Request Stock = new(HttpMethod.Get, "/stock");
    public static readonly Request Prices = new(HttpMethod.Get, "/prices");
    public static readonly Request News = new(HttpMethod.Get, "/news");
    public static readonly Request Report = new(HttpMethod.Get, "/report");
    public static readonly Request Offers = new(HttpMethod.Get, "/offers");
    public static readonly Request Account = new(HttpMethod.Get, "/account");
    public static readonly Request Points = new(HttpMethod.Get, "/account/points");

    /// <summary>Everything that nobody has to sign in for.</summary>
    public static IReadOnlyList<Request> Public { get; } = [Hours, Stock, Prices, News, Report, Offers];

    /// <summary>Everything else but what gives up soon: on a busy machine that is refused by its own timeout, and no neighbour is to blame.</summary>
    public static IReadOnlyList<Request> NeighboursOf(params Request[] attacked) => [.. Public.Except([Stock, Report]).Except(attacked)];
}
