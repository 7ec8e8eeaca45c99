using System.Diagnostics;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Win32.SafeHandles;
using ResilientHost.Connections;
using ResilientHost.IntegrationTests.Connections;
using Xunit.Sdk;
using Xunit.v3;

[assembly: TestPipelineStartup(typeof(DoorService))]

namespace ResilientHost.IntegrationTests.Connections;

/// <summary>
/// A small service in a process of its own: this very program, told by its environment to serve instead of testing. It ends when its standard input does.
/// </summary>
public sealed class DoorService : ITestPipelineStartup
{
    /// <summary>Name of the environment variable whose value is <c>guarded</c> or <c>unguarded</c>.</summary>
    public const string Variable = "RESILIENT_HOST_DOOR_SERVICE";

    public async ValueTask StartAsync(IMessageSink diagnosticMessageSink)
    {
        if (Environment.GetEnvironmentVariable(Variable) is { } kind)
        {
            await ServeAsync(isGuarded: kind == "guarded");
        }
    }

    public ValueTask StopAsync() => default;

    private static async Task ServeAsync(bool isGuarded)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = "Door" });
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, port: 0));
        builder.Services.AddRoutingCore();
        if (isGuarded)
        {
            new HandSetHost().AddTo(builder.Services, realDescriptors: true);
        }

        await using var app = builder.Build();
        var taken = new List<SafeFileHandle>();
        Map(app, "/ping", static () => "pong.");
        Map(app, "/take", () => Take(taken));
        Map(app, "/give", () => Give(taken));
        Map(app, "/left", static () =>
        {
            using var descriptors = new LinuxDescriptors();
            return $"{descriptors.Count()!.Value.Left}.";
        });

        WarmUp();
        await app.StartAsync();
        Console.WriteLine($"Listening on {app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single()}");
        WaitForEndOfInput();
    }

    // With a length, or the text would come in chunks.
    private static void Map(WebApplication app, string path, Func<string> answer) => app.MapGet(path, context =>
    {
        var text = answer();
        context.Response.ContentLength = text.Length;
        return context.Response.WriteAsync(text, context.RequestAborted);
    });

    /// <summary>Opens files until there is no descriptor left.</summary>
    private static string Take(List<SafeFileHandle> taken)
    {
        try
        {
            while (true)
            {
                taken.Add(File.OpenHandle("/dev/null"));
            }
        }
        catch (IOException)
        {
            return $"{taken.Count}.";
        }
    }

    private static string Give(List<SafeFileHandle> taken)
    {
        taken.ForEach(file => file.Dispose());
        taken.Clear();
        return "given.";
    }

    // A new thread needs descriptors of its own for a moment; with none left the runtime ends the process. The pool's are here beforehand.
    private static void WarmUp()
    {
        ThreadPool.SetMinThreads(16, 16);
        using var together = new Barrier(16);
        Task.WaitAll([.. Enumerable.Range(0, 16).Select(_ => Task.Run(together.SignalAndWait))]);
    }

    private static void WaitForEndOfInput()
    {
        using var input = Console.OpenStandardInput();
        while (input.ReadByte() >= 0)
        {
        }

        using var self = Process.GetCurrentProcess();
        self.Kill();
    }
}
