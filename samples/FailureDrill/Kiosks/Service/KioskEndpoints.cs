using System.Security.Claims;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using ResilientHost;
using ResilientHost.Testing;

namespace FailureDrill.Kiosks.Service;

/// <summary>What the kiosk says of itself.</summary>
/// <param name="LedgerInUse">Connections taken from the ledger.</param>
/// <param name="Overruns">Requests that ignored their timeout.</param>
/// <param name="Http2Address">Where it speaks HTTP/2.</param>
internal sealed record KioskState(int LedgerInUse, long Overruns, Uri Http2Address);

/// <summary>Each endpoint asks the depot and has what helps when the depot does not: a timeout, or another answer.</summary>
internal static class KioskEndpoints
{
    public static void MapKiosk(this IEndpointRouteBuilder app)
    {
        app.MapGet("/hours", HoursAsync);
        app.MapGet("/stock", StockAsync).WithTimeout(TimeSpan.FromMilliseconds(400)).WithCircuitBreaker("stock");
        app.MapGet("/prices", PricesAsync).WithCircuitBreaker("prices").WithFallback(PrintedPrices);
        app.MapGet("/news", NewsAsync).WithCircuitBreaker("news").WithStaleFallback(TimeSpan.FromMinutes(1));
        app.MapGet("/report", ReportAsync).WithTimeout(TimeSpan.FromMilliseconds(300)).WithBulkhead("report");
        app.MapGet("/offers", OffersAsync).WithFallback(OldOffersAsync);
        app.MapGet("/account", AccountAsync).RequireAuthorization().WithCircuitBreaker("account").WithFallback(GuestAccount);
        app.MapGet("/account/points", PointsAsync).RequireAuthorization().WithStaleFallback(TimeSpan.FromMinutes(1));
        app.MapGet("/self", Self).DisableResilience();
    }

    private static async Task<string> HoursAsync(Ledger ledger, HttpContext context)
    {
        using var connection = await ledger.OpenAsync(context.RequestAborted);
        return $"9 to 5, by {context.Connection.Id}";
    }

    private static async Task<string> StockAsync(DepotClient depot, Ledger ledger, CancellationToken cancellationToken)
    {
        // The connection is kept while another service is asked: a common mistake, and what makes a slow depot everybody's.
        using var connection = await ledger.OpenAsync(cancellationToken);
        return await depot.AskAsync("/stock", cancellationToken);
    }

    private static Task<string> PricesAsync(DepotClient depot, CancellationToken cancellationToken) => depot.AskAsync("/prices", cancellationToken);

    private static string PrintedPrices() => "printed";

    private static Task<string> NewsAsync(DepotClient depot, CancellationToken cancellationToken) => depot.AskAsync("/news", cancellationToken);

    private static async Task<string> ReportAsync(DepotClient depot, Ledger ledger)
    {
        // No token is taken, so none is passed on: nothing tells this handler that its time is over.
        using var connection = await ledger.OpenAsync(CancellationToken.None);
        return await depot.AskAsync("/report", CancellationToken.None);
    }

    private static async Task<string> OffersAsync(DepotClient depot, CancellationToken cancellationToken)
    {
        try
        {
            return await depot.AskAsync("/offers", cancellationToken);
        }
        catch (HttpRequestException exception)
        {
            throw new TimeoutException("The depot has no offers today.", exception);
        }
    }

    // A fallback that needs what has failed already is none; this one does, and keeps a connection while it waits.
    private static async Task<IResult> OldOffersAsync(DepotClient depot, Ledger ledger, CancellationToken cancellationToken)
    {
        using var connection = await ledger.OpenAsync(cancellationToken);
        var offers = await depot.AskAsync("/old-offers", cancellationToken);
        return offers == "sold out" ? Results.StatusCode(StatusCodes.Status503ServiceUnavailable) : Results.Text(offers);
    }

    private static async Task<string> AccountAsync(DepotClient depot, ClaimsPrincipal customer, CancellationToken cancellationToken) =>
        $"{customer.Identity!.Name}: {await depot.AskAsync("/account", cancellationToken)}";

    private static string GuestAccount(ClaimsPrincipal customer) => $"{customer.Identity!.Name}: try again later";

    private static async Task<string> PointsAsync(DepotClient depot, ClaimsPrincipal customer, CancellationToken cancellationToken) =>
        $"{customer.Identity!.Name}: {await depot.AskAsync("/points", cancellationToken)}";

    private static KioskState Self(Ledger ledger, MetricRecorder metrics, IServer server) => new(
        ledger.InUse,
        (long)metrics.Sum(ResilienceDiagnostics.Instruments.TimeoutOverruns),
        new Uri(server.Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.Last()));
}
