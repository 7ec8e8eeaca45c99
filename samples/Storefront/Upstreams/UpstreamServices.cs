namespace Storefront.Upstreams;

/// <summary>What the services behind the shop answer when they are well.</summary>
internal static class UpstreamServices
{
    private static readonly (int Id, string Name, string Note, decimal Price)[] Goods =
    [
        (1, "Enamel kettle", "1.5 litres, cornflower blue", 39.00m),
        (2, "Beeswax candles", "A dozen, burn for eight hours", 18.50m),
        (3, "Linen apron", "Two pockets, gets softer", 44.00m),
        (4, "Cast-iron pan", "26 cm, seasoned", 62.00m),
        (5, "Walnut board", "Oiled, with a juice groove", 55.00m),
        (6, "Mortar and pestle", "Granite, 14 cm", 34.00m),
    ];

    public static void Map(WebApplication upstream, string service)
    {
        switch (service)
        {
            case ServiceNames.Catalogue:
                upstream.MapGet("/items", () => Goods.Select(good => new { good.Id, good.Name, good.Note }));
                break;
            case ServiceNames.Search:
                upstream.MapGet("/names", () => Goods.Select(good => new { good.Id, good.Name }));
                break;
            case ServiceNames.Pricing:
                upstream.MapGet("/prices/{id:int}", (int id) => Array.Find(Goods, good => good.Id == id) is { Id: > 0 } found
                    ? Results.Ok(new { ProductId = id, Amount = found.Price, Currency = "EUR" })
                    : Results.NotFound());
                break;
            case ServiceNames.Recommendations:
                upstream.MapPost("/rank", (int[] productIds) => productIds.OrderDescending().Take(3));
                break;
            case ServiceNames.Checkout:
                upstream.MapPost("/payments", () => new { Reference = Guid.NewGuid().ToString("N")[..8] });
                break;
            case ServiceNames.Profile:
                upstream.MapGet("/customers/{id:int}", (int id) => new { Id = id, Name = "Ada", Since = 2019 });
                upstream.MapGet("/benefits", () => new { Text = "Members get free delivery from €50." });
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(service), service, "There is no such service.");
        }
    }
}
