using System.Net.Http.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace FailureDrill.Agencies.Service;

/// <summary>What the agency says of itself.</summary>
/// <param name="Queries">How often it asked the database.</param>
internal sealed record AgencyState(long Queries);

/// <summary>Who rents a car.</summary>
internal sealed record Rental(string Renter);

/// <summary>Each endpoint asks one of those behind, in the plainest way: what helps when they do not answer is not to be seen here.</summary>
internal static class AgencyEndpoints
{
    public static void MapAgency(this IEndpointRouteBuilder app)
    {
        foreach (var supplier in (string[])["fares", "rooms", "cars", "maps", "visas"])
        {
            app.MapGet($"/{supplier}", (IHttpClientFactory clients, CancellationToken cancellationToken) =>
                clients.CreateClient(supplier).GetStringAsync($"/{supplier}", cancellationToken));
        }

        app.MapPost("/cars", RentCarAsync);
        app.MapGet("/offers", (IHttpClientFactory clients, CancellationToken cancellationToken) =>
            clients.CreateClient("partner").GetStringAsync("/offers", cancellationToken));
        app.MapGet("/weather/{city}", (string city, Forecasts forecasts, CancellationToken cancellationToken) => forecasts.ReadAsync(city, cancellationToken));
        app.MapGet("/bookings", (BookingStore bookings, CancellationToken cancellationToken) => bookings.CountAsync(cancellationToken))
            .WithStaleFallback(TimeSpan.FromMinutes(1));
        app.MapGet("/self", (BookingStore bookings) => new AgencyState(bookings.Queries)).DisableResilience();
    }

    private static async Task<IResult> RentCarAsync(Rental rental, IHttpClientFactory clients, CancellationToken cancellationToken)
    {
        using var response = await clients.CreateClient("cars").PostAsJsonAsync("/cars", rental, cancellationToken);
        response.EnsureSuccessStatusCode();
        return Results.Text("rented");
    }
}
