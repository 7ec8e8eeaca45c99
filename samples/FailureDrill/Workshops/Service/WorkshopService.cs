using System.Net;
using FailureDrill.Processes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace FailureDrill.Workshops.Service;

/// <summary>
/// A small service whose endpoints say how much they matter; <c>FailureDrill workshop</c> runs it in a process of its own, which
/// ends when its standard input does.
/// </summary>
internal static class WorkshopService
{
    public const string Command = "workshop";

    public static async Task RunAsync(string[] args)
    {
        ParentWatch.Start();

        // An empty builder reads neither the settings of the current directory nor those of other services.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = "Workshop" });
        builder.Configuration.AddJsonFile(Path.Combine(AppContext.BaseDirectory, "workshop.json")).AddEnvironmentVariables().AddCommandLine(args);
        builder.Logging.AddConfiguration(builder.Configuration.GetSection("Logging")).AddSimpleConsole();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, port: 0));
        builder.AddResilienceLayers();

        builder.Services.AddRoutingCore();
        builder.Services.AddSingleton<AlbumCache>();
        builder.Services.AddSingleton<Presses>();
        builder.Services.AddSingleton<LevelHistory>();

        await using var app = builder.Build();
        app.UseRouting();
        app.UseResilienceLayers();

        app.MapWorkshop();

        // It listens on loopback only and ends with the drill.
        app.MapResilienceStatus("/resilience").AllowAnonymous();

        // From the beginning, not from the first question on.
        app.Services.GetRequiredService<LevelHistory>();
        await app.RunAsync();
    }
}
