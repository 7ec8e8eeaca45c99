using Storefront.Database;
using Storefront.Faults;
using Storefront.Upstreams;

namespace Storefront.Catalogue;

/// <summary>One thing to buy, with what the shop knows of it.</summary>
internal sealed record Product(int Id, string Name, string Note, int Sold);

/// <summary>What the shop sells. Protected by what every endpoint gets on its own: recovery and an automatic circuit.</summary>
internal static class CatalogueEndpoints
{
    public static void MapCatalogue(this IEndpointRouteBuilder app)
    {
        app.MapGet("/products", ListAsync).WithFaultPoint(ServiceNames.Catalogue);
        app.MapGet("/products/{id:int}", FindAsync).WithFaultPoint(ServiceNames.Catalogue);
    }

    private static async Task<IResult> ListAsync(CatalogueClient catalogue, StoreDatabase database, CancellationToken cancellationToken)
    {
        var items = await catalogue.ListAsync(cancellationToken);
        using var connection = await database.OpenAsync(cancellationToken);
        return Results.Ok(items.Select(item => WithSales(item, connection)).ToArray());
    }

    private static async Task<IResult> FindAsync(int id, CatalogueClient catalogue, StoreDatabase database, CancellationToken cancellationToken)
    {
        var items = await catalogue.ListAsync(cancellationToken);
        if (items.FirstOrDefault(item => item.Id == id) is not { } found)
        {
            return Results.NotFound();
        }

        using var connection = await database.OpenAsync(cancellationToken);
        return Results.Ok(WithSales(found, connection));
    }

    private static Product WithSales(CatalogueItem item, StoreConnection connection) =>
        new(item.Id, item.Name, item.Note, connection.SoldOf(item.Id));
}
