using System.Net;
using System.Security.Cryptography.X509Certificates;
using FailureDrill.Processes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace FailureDrill.Agencies.Service;

/// <summary>
/// A small service that has nothing of its own: each endpoint asks somebody else. <c>FailureDrill agency</c>, with the addresses
/// of those whom it asks, runs it in a process of its own, which ends when its standard input does.
/// </summary>
internal static class AgencyService
{
    public const string Command = "agency";

    /// <summary>What a log has to say where a certificate has expired, for somebody to see what is wrong.</summary>
    public const string Telling = "expired";

    public static async Task RunAsync(string[] args)
    {
        ParentWatch.Start();

        // An empty builder reads neither the settings of the current directory nor those of other services.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = "Agency" });
        builder.Configuration.AddJsonFile(Path.Combine(AppContext.BaseDirectory, "agency.json")).AddEnvironmentVariables().AddCommandLine(args);
        builder.Logging.AddConfiguration(builder.Configuration.GetSection("Logging")).AddSimpleConsole();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, port: 0));
        builder.AddResilienceLayers();

        var withLayers = builder.Configuration.GetValue("Resilience:Enabled", defaultValue: true);
        builder.Services.AddRoutingCore();
        AddSuppliers(builder);
        AddPartner(builder, withLayers);
        AddForecasts(builder, withLayers);
        builder.Services.AddSingleton(_ => NpgsqlDataSource.Create(builder.Configuration["database"]!));
        builder.Services.AddSingleton<BookingStore>();

        await using var app = builder.Build();
        app.UseRouting();
        app.UseResilienceLayers();

        app.MapAgency();

        // It listens on loopback only and ends with the drill.
        app.MapResilienceStatus("/resilience").AllowAnonymous();
        await app.RunAsync();
    }

    private static void AddSuppliers(WebApplicationBuilder builder)
    {
        foreach (var name in (string[])["fares", "rooms", "cars", "maps"])
        {
            AddClient(builder, name, builder.Configuration["suppliers"]).AddResilienceLayers(name);
        }

        AddClient(builder, "visas", builder.Configuration["visas"])
            .ConfigurePrimaryHttpMessageHandler(() => TrustingHandler(builder.Configuration["visa-authority"]!))
            .AddResilienceLayers("visas");
    }

    // The switch that turns the layers off leaves nothing that tries again, and a chain that never tries again has no storm.
    // Without the layers the agency therefore has what one writes without them.
    private static void AddPartner(WebApplicationBuilder builder, bool withLayers)
    {
        var partner = AddClient(builder, "partner", builder.Configuration["partner"]);
        if (withLayers)
        {
            partner.AddResilienceLayers("partner");
        }
        else
        {
            partner.AddHttpMessageHandler(static () => new ThreeTries());
        }
    }

    // Likewise the cache: switched off it keeps nothing, but still asks for each key only once at a time.
    private static void AddForecasts(WebApplicationBuilder builder, bool withLayers)
    {
        // Without layers, so that what is seen is the cache's doing.
        AddClient(builder, Forecasts.Archive, builder.Configuration["archive"]);
        if (withLayers)
        {
            builder.Services.AddResilientCache();
            builder.Services.AddSingleton<Forecasts, GuardedForecasts>();
        }
        else
        {
            builder.Services.AddMemoryCache();
            builder.Services.AddSingleton<Forecasts, PlainForecasts>();
        }
    }

    private static IHttpClientBuilder AddClient(WebApplicationBuilder builder, string name, string? address) =>
        builder.Services.AddHttpClient(name, http => http.BaseAddress = address is null ? null : new Uri(address));

    private static SocketsHttpHandler TrustingHandler(string authorityFile) => new()
    {
        SslOptions =
        {
            CertificateChainPolicy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                CustomTrustStore = { X509CertificateLoader.LoadCertificateFromFile(authorityFile) },
                RevocationMode = X509RevocationMode.NoCheck,
            },
        },
    };
}
