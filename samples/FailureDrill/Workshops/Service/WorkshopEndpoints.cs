using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using ResilientHost;

namespace FailureDrill.Workshops.Service;

/// <summary>What the workshop says of itself.</summary>
/// <param name="Levels">The service levels that it has been at, in order.</param>
internal sealed record WorkshopState(IReadOnlyList<string> Levels);

/// <summary>
/// Nobody stands behind the workshop: what runs short here is its own, and everybody's. Each endpoint says how much it matters;
/// the sheddable ones are each written in a way that takes what the others need.
/// </summary>
internal static class WorkshopEndpoints
{
    public static void MapWorkshop(this IEndpointRouteBuilder app)
    {
        app.MapGet("/orders", OrderAsync).WithCriticality(Criticality.Critical);
        app.MapGet("/prints", PrintAsync).WithCriticality(Criticality.Critical).WithBulkhead("prints");
        app.MapGet("/quotes", Quote);
        app.MapGet("/previews", Preview).WithCriticality(Criticality.Sheddable);
        app.MapGet("/posters", Poster).WithCriticality(Criticality.Sheddable);
        app.MapGet("/albums", Album).WithCriticality(Criticality.Sheddable);
        app.MapGet("/exports", Export).WithCriticality(Criticality.Sheddable);
        app.MapGet("/self", Self).DisableResilience();
    }

    // As most work it comes back to the pool in the middle, and it needs some memory for as long as it lasts.
    private static async Task<string> OrderAsync()
    {
        var form = new byte[100_000];
        await Task.Yield();
        Processor.Burn(TimeSpan.FromMilliseconds(2));
        return $"ordered on {form.Length} bytes";
    }

    private static async Task<string> PrintAsync(Presses presses, CancellationToken cancellationToken)
    {
        await presses.PrintAsync(cancellationToken);
        return "printed";
    }

    private static string Quote()
    {
        Processor.Burn(TimeSpan.FromMilliseconds(15));
        return "quoted";
    }

    private static string Preview()
    {
        Processor.Burn(TimeSpan.FromMilliseconds(30));
        return "previewed";
    }

    private static string Poster()
    {
        Processor.Burn(TimeSpan.FromMilliseconds(400));
        return "drawn";
    }

    private static string Album(AlbumCache albums)
    {
        albums.Add();
        return "bound";
    }

    // Sync over async: the thread of the pool that waits here is missing to what it waits for.
    private static string Export() => ExportAsync().GetAwaiter().GetResult();

    private static async Task<string> ExportAsync()
    {
        await Task.Delay(TimeSpan.FromMilliseconds(500));
        await Task.Yield();
        return "exported";
    }

    private static WorkshopState Self(LevelHistory levels) => new(levels.Read());
}
