using System.Net;
using FailureDrill.Processes;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using ResilientHost;
using ResilientHost.Testing;

namespace FailureDrill.Kiosks.Service;

/// <summary>
/// A small service whose endpoints have timeouts and fallbacks; <c>FailureDrill kiosk --depot ADDRESS</c> runs it in a process
/// of its own, which ends when its standard input does.
/// </summary>
internal static class KioskService
{
    public const string Command = "kiosk";

    public static async Task RunAsync(string[] args)
    {
        ParentWatch.Start();

        // An empty builder reads neither the settings of the current directory nor those of other services.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = "Kiosk" });
        builder.Configuration.AddJsonFile(Path.Combine(AppContext.BaseDirectory, "kiosk.json")).AddEnvironmentVariables().AddCommandLine(args);
        builder.Logging.AddConfiguration(builder.Configuration.GetSection("Logging")).AddSimpleConsole();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            // Without TLS nobody could agree on a protocol: HTTP/2 has a port to itself.
            kestrel.Listen(IPAddress.Loopback, port: 0);
            kestrel.Listen(IPAddress.Loopback, port: 0, listener => listener.Protocols = HttpProtocols.Http2);
        });
        builder.AddResilienceLayers();

        builder.Services.AddRoutingCore();
        builder.Services.AddAuthorization();
        builder.Services.AddAuthentication(NamedCustomers.SchemeName)
            .AddScheme<AuthenticationSchemeOptions, NamedCustomers>(NamedCustomers.SchemeName, configureOptions: null);
        builder.Services.AddSingleton<Ledger>();
        builder.Services.AddSingleton(new MetricRecorder(ResilienceDiagnostics.MeterName));
        builder.Services.AddHttpClient<DepotClient>(http => http.BaseAddress = new Uri(builder.Configuration["depot"]!));

        await using var app = builder.Build();
        app.UseRouting();
        app.UseAuthentication();
        app.UseAuthorization();
        app.UseResilienceLayers();

        app.MapKiosk();

        // It listens on loopback only and ends with the drill.
        app.MapResilienceStatus("/resilience").AllowAnonymous();
        await app.RunAsync();
    }
}
