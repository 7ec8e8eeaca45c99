using Storefront.Database;
using Storefront.Faults;
using Storefront.Upstreams;

namespace Storefront.Catalogue;

/// <summary>One thing to buy, with what the shop knows of it.</summary>
internal sealed record Product(int Id, string Name, string? Note, int? Sold);

/// <summary>
/// What the shop sells. Without its list there is no shop, so the list has two ways out: the names from the search index, and
/// when that is away too, the list as it was. A single product has what every endpoint gets on its own: recovery, the default
/// timeout and an automatic circuit.
/// </summary>
internal static class CatalogueEndpoints
{
    public static void MapCatalogue(this IEndpointRouteBuilder app)
    {
        app.MapGet("/products", ListAsync)
            .WithFallback(ListFromSearchAsync)
            .WithStaleFallback(TimeSpan.FromMinutes(10))
            .WithFaultPoint(ServiceNames.Catalogue);
        app.MapGet("/products/{id:int}", FindAsync).WithFaultPoint(ServiceNames.Catalogue);
    }

    private static async Task<IResult> ListAsync(CatalogueClient catalogue, StoreDatabase database, CancellationToken cancellationToken)
    {
        var items = await catalogue.ListAsync(cancellationToken);
        using var connection = await database.OpenAsync(cancellationToken);
        return Results.Ok(items.Select(item => WithSales(item, connection)).ToArray());
    }

    // No sales: who asks for them waits for the database, and a fallback must not need what may have failed.
    private static async Task<IResult> ListFromSearchAsync(SearchClient search, CancellationToken cancellationToken) =>
        Results.Ok((await search.ListAsync(cancellationToken)).Select(found => new Product(found.Id, found.Name, Note: null, Sold: null)).ToArray());

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
