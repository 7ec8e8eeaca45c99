using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace FailureDrill.Plants.Service;

/// <summary>What the plant says of itself.</summary>
/// <param name="Conveyed">What the conveyor has done.</param>
/// <param name="Measured">What the gauge has done.</param>
/// <param name="Sorted">What the sorter has done.</param>
/// <param name="SorterStates">The states that the sorter has been in, in order.</param>
internal sealed record PlantState(long Conveyed, long Measured, long Sorted, IReadOnlyList<string> SorterStates);

/// <summary>What customers ask the plant for, and the drill's switches.</summary>
internal static class PlantEndpoints
{
    /// <summary>Longer than readiness is off before the server stops: some are always under way then.</summary>
    private static readonly TimeSpan TourDuration = TimeSpan.FromSeconds(1.5);

    public static void MapPlant(this IEndpointRouteBuilder app)
    {
        app.MapGet("/quotes", QuoteAsync);
        app.MapGet("/tours", TourAsync);
        app.MapPost("/orders", OrderAsync);
        app.MapGet("/self", Self).DisableResilience();
        app.MapPost("/conveyor/tear", (Breakdowns breakdowns) => breakdowns.TearConveyor()).DisableResilience();
        app.MapPost("/conveyor/repair", (Breakdowns breakdowns) => breakdowns.RepairConveyor()).DisableResilience();
        app.MapPost("/boiler/break", (Breakdowns breakdowns) => breakdowns.BreakBoiler()).DisableResilience();
        app.MapPost("/sorter/jam", (Breakdowns breakdowns) => breakdowns.JamSorter()).DisableResilience();
    }

    private static async Task<string> QuoteAsync(CancellationToken cancellationToken)
    {
        await Task.Delay(TimeSpan.FromMilliseconds(5), cancellationToken);
        return "quoted";
    }

    private static async Task<string> TourAsync(CancellationToken cancellationToken)
    {
        await Task.Delay(TourDuration, cancellationToken);
        return "shown around";
    }

    // The promise of a 202: it will be packed, or somebody will be told why not.
    private static async Task<IResult> OrderAsync(Order order, Channel<Order> orders, CancellationToken cancellationToken)
    {
        await orders.Writer.WriteAsync(order, cancellationToken);
        return TypedResults.Accepted((string?)null);
    }

    private static PlantState Self(Output output, WorkerHistory workers) => new(output.Conveyed, output.Measured, output.Sorted, workers.ReadSorter());
}
