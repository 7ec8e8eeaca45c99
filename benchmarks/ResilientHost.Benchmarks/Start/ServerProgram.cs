using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace ResilientHost.Benchmarks.Start;

/// <summary>The web application whose start is measured, in a process of its own: <c>--start-server bare|layers handlers|delegates ENDPOINTS</c>. It says where it listens, and ends with its input.</summary>
internal static class ServerProgram
{
    public const string Command = "--start-server";

    public const string Layered = "layers";

    public const string Bare = "bare";

    /// <summary>Route handlers as they are usually written, which routing compiles when it builds its endpoints.</summary>
    public const string Handlers = "handlers";

    /// <summary>Request delegates, which cost a start next to nothing.</summary>
    public const string Delegates = "delegates";

    public static bool Handles(string[] args) => args is [Command, ..];

    public static int Run(string[] args)
    {
        var layered = args[1] == Layered;
        var endpoints = int.Parse(args[3], CultureInfo.InvariantCulture);
        var builder = WebApplication.CreateBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        if (layered)
        {
            builder.AddResilienceLayers();
        }

        var app = builder.Build();
        if (layered)
        {
            app.UseResilienceLayers();
        }

        for (var number = 0; number < endpoints; number++)
        {
            var pattern = $"/products/{number}/{{id}}";
            _ = args[2] == Handlers
                ? app.MapGet(pattern, static (int id) => new Product(id, "Kettle", 39.90m))
                : app.MapGet(pattern, static context => context.Response.WriteAsJsonAsync(new Product(1, "Kettle", 39.90m)));
        }

        app.Start();
        Console.Out.WriteLine($"Started at {app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single()}");
        _ = Console.In.Read();
        return 0;
    }

    private sealed record Product(int Id, string Name, decimal Price);
}
