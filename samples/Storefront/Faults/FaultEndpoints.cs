using System.Net;
using Storefront.Database;
using Storefront.Upstreams;

namespace Storefront.Faults;

/// <summary>
/// <c>GET /faults</c> tells how each service is set and what reaches it, <c>POST /faults/{service}</c> sets it, and
/// <c>POST /faults/rush</c> sends forty orders at once. They exist in
/// Development or where <c>Faults:Enabled</c> says so, and answer only callers on this machine.
/// </summary>
internal static class FaultEndpoints
{
    public static IServiceCollection AddFaultSwitches(this IServiceCollection services) =>
        services.AddSingleton<FaultSwitches>();

    public static void MapFaultSwitches(this WebApplication app)
    {
        if (!app.Environment.IsDevelopment() && !app.Configuration.GetValue<bool>("Faults:Enabled"))
        {
            return;
        }

        // The switches must work while everything else is being broken, so nothing may refuse them.
        var faults = app.MapGroup("/faults").AddEndpointFilter(OnlyFromThisMachineAsync).DisableResilience();
        faults.MapGet("", Describe);
        faults.MapPost("/{service}", Set);
        faults.MapPost("/rush", Rush.SendAsync);
    }

    private static object Describe(FaultSwitches switches, UpstreamTraffic traffic, StoreDatabase database) => new
    {
        Services = ServiceNames.All.Select(name => new
        {
            Name = name,
            Fault = switches[name],
            traffic.Of(name).Calls,
            traffic.Of(name).InFlight,
        }),
        Database = new { database.Connections, database.InUse, database.Waiting },
    };

    private static IResult Set(string service, Fault fault, FaultSwitches switches)
    {
        if (fault.Errors() is { Count: > 0 } errors)
        {
            return Results.ValidationProblem(errors);
        }

        return switches.TrySet(service, fault)
            ? Results.NoContent()
            : Results.Problem($"There is no service '{service}'; there are {string.Join(", ", ServiceNames.All)}.", statusCode: 404);
    }

    private static async ValueTask<object?> OnlyFromThisMachineAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next) =>
        context.HttpContext.Connection.RemoteIpAddress is { } caller && IPAddress.IsLoopback(caller)
            ? await next(context)
            : Results.NotFound();
}
