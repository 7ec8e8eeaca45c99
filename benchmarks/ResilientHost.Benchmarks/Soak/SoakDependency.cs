using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using ResilientHost.Benchmarks.Http;

namespace ResilientHost.Benchmarks.Soak;

/// <summary>What the soaked service calls: <c>--soak-dependency</c>, a process of its own that nothing protects and whose answers now and then fail.</summary>
internal static class SoakDependency
{
    public const string Command = "--soak-dependency";
    public const string Good = "/price";
    public const string Flaky = "/flaky";
    private const int EveryThat = 20;

    public static bool Handles(string[] args) => args is [Command];

    public static int Run(string[] args)
    {
        var builder = WebApplication.CreateSlimBuilder(args);
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        using var app = builder.Build();
        var calls = 0;
        app.MapGet(Good, static () => new Price(39.90m));
        app.MapGet(Flaky, () => Interlocked.Increment(ref calls) % EveryThat == 0 ? Results.StatusCode(StatusCodes.Status503ServiceUnavailable) : Results.Json(new Price(39.90m)));
        HttpServerCommand.Serve(app);
        return 0;
    }

    private sealed record Price(decimal Amount);
}
