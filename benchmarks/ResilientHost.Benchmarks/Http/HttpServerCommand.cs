using System.Runtime;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Hosting;

namespace ResilientHost.Benchmarks.Http;

/// <summary>What a server's process does: it serves one mode, says where, and ends with its standard input, so it cannot outlive whoever started it.</summary>
internal static class HttpServerCommand
{
    public const string Command = "--http-server";

    public static bool Handles(string[] args) => args is [Command, _];

    public static int Run(string[] args)
    {
        if (!GCSettings.IsServerGC)
        {
            Console.Error.WriteLine("Servers run with the collector that web applications run with (DOTNET_gcServer=1).");
            return 1;
        }

        using var app = ServerModes.Named(args[1]).Build();
        Serve(app);
        return 0;
    }

    /// <summary>Starts the application, says where it listens, and waits for the end of the input.</summary>
    public static void Serve(WebApplication app)
    {
        app.Start();
        Console.Out.WriteLine($"{ServerProcess.Listening}{app.Urls.First()}");
        using var input = Console.OpenStandardInput();
        while (input.ReadByte() >= 0)
        {
        }
    }
}
