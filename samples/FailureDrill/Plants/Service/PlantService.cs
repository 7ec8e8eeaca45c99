using System.Net;
using System.Threading.Channels;
using FailureDrill.Processes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using ResilientHost;

namespace FailureDrill.Plants.Service;

/// <summary>
/// A small service with workers beside its requests; <c>FailureDrill plant --folder FOLDER</c> runs it in a process of its own,
/// which ends when its standard input does.
/// </summary>
internal static class PlantService
{
    public const string Command = "plant";

    /// <summary>How long the plant may take to stop.</summary>
    public static readonly TimeSpan ShutdownTimeout = TimeSpan.FromSeconds(8);

    public static async Task RunAsync(string[] args)
    {
        ParentWatch.Start();

        // An empty builder reads neither the settings of the current directory nor those of other services.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = "Plant" });
        builder.Configuration.AddJsonFile(Path.Combine(AppContext.BaseDirectory, "plant.json")).AddEnvironmentVariables().AddCommandLine(args);
        builder.Logging.AddConfiguration(builder.Configuration.GetSection("Logging")).AddSimpleConsole();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, port: 0));
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = ShutdownTimeout);
        builder.AddResilienceLayers();

        builder.Services.AddRoutingCore();
        builder.Services.AddSingleton<Breakdowns>();
        builder.Services.AddSingleton<Output>();
        builder.Services.AddSingleton<WorkerHistory>();
        builder.Services.AddSingleton(new PlantFolder(builder.Configuration["folder"]!));
        builder.Services.AddSingleton<Packer>();

        // Three that know nothing of the suite, and one that is made for it.
        builder.Services.AddHostedService<Conveyor>();
        builder.Services.AddHostedService<Gauge>();
        builder.Services.AddHostedService<Boiler>();
        builder.Services.AddResilientWorker<Sorter>("sorter");
        AddPacking(builder.Services, withLayers: builder.Configuration.GetValue("Resilience:Enabled", defaultValue: true));

        await using var app = builder.Build();
        app.UseRouting();
        app.UseResilienceLayers();

        app.MapPlant();
        app.MapResilienceHealth();

        // It listens on loopback only and ends with the drill.
        app.MapResilienceStatus("/resilience").AllowAnonymous();

        // From the beginning, not from the first question on.
        app.Services.GetRequiredService<WorkerHistory>();
        await app.RunAsync();
    }

    // Isolated items and the journal are a program's own choice; the switch that turns the layers off leaves them as they are.
    // Without the layers the plant therefore has what one writes without them: a loop, over a channel in memory.
    private static void AddPacking(IServiceCollection services, bool withLayers)
    {
        if (withLayers)
        {
            services.AddSingleton(provider => new JournaledChannel<Order>(
                provider.GetRequiredService<PlantFolder>().Journal,
                new JournaledChannelOptions { DeadLetters = provider.GetRequiredService<IDeadLetterSink>() }));
            services.AddSingleton<Channel<Order>>(provider => provider.GetRequiredService<JournaledChannel<Order>>());
            services.AddResilientWorker<PackingWorker>("packing");
        }
        else
        {
            services.AddSingleton(Channel.CreateBounded<Order>(10_000));
            services.AddHostedService<PackingLoop>();
        }
    }
}
