using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using ResilientHost.Benchmarks.Exceptions;
using ResilientHost.Benchmarks.Http;
using ResilientHost.Benchmarks.Requests;

namespace ResilientHost.Benchmarks.Soak;

/// <summary>The service that is soaked: <c>--soak-service DEPENDENCY</c>, with every layer, all instruments listened to, its failures logged, and a dashboard. It writes a sample of itself every second.</summary>
internal static class SoakService
{
    public const string Command = "--soak-service";
    private const string Wide = "wide";
    private const string Narrow = "narrow";
    private const string Tenant = "tenant";
    private const string Refusing = "refusing";
    private static readonly TimeSpan Work = TimeSpan.FromMilliseconds(2);

    public static bool Handles(string[] args) => args is [Command, _];

    public static int Run(string[] args)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = Environments.Production, ContentRootPath = AppContext.BaseDirectory });
        builder.Logging.ClearProviders().AddProvider(new FormattedLog()).AddFilter("Microsoft.AspNetCore", LogLevel.Warning).AddFilter("System.Net.Http", LogLevel.Warning);
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Configuration.AddInMemoryCollection(Configuration());
        builder.AddResilienceLayers();
        builder.Services.AddHttpClient<DependencyClient>(client => client.BaseAddress = new Uri(args[1])).AddResilienceLayers("dependency");

        using var app = builder.Build();
        var sampler = new SoakSampler();
        app.Use((context, next) =>
        {
            sampler.CountRequest();
            return next(context);
        });
        app.UseResilienceLayers();
        MapEndpoints(app);
        app.MapResilienceDashboard("/resilience").AllowAnonymous();
        app.Services.GetRequiredService<CircuitBreakerRegistry>().Get(Refusing).ForceOpen(TimeSpan.FromDays(1));

        using var listener = Listener.ToEverything();
        app.Lifetime.ApplicationStarted.Register(sampler.Start);
        HttpServerCommand.Serve(app);
        return 0;
    }

    private static void MapEndpoints(WebApplication app)
    {
        app.MapGet("/ok", static () => new Answer(1)).WithCircuitBreaker(Wide).WithBulkhead(Wide);
        app.MapGet("/awaiting", static async () =>
        {
            await Task.Delay(Work);
            return new Answer(2);
        }).WithCircuitBreaker(Wide).WithBulkhead(Wide).WithTimeout(TimeSpan.FromSeconds(10)).WithCriticality(Criticality.Sheddable);
        app.MapGet("/tenants/{tenant}", static (int tenant) => new Answer(tenant)).WithCircuitBreaker(Tenant).WithBulkhead(Tenant);
        app.MapGet("/outbound", static (DependencyClient client, CancellationToken token) => client.AskAsync(SoakDependency.Good, token));
        app.MapGet("/outbound-flaky", static (DependencyClient client, CancellationToken token) => client.AskAsync(SoakDependency.Flaky, token));
        var stale = 0;
        app.MapGet("/stale/{number}", (int number) => Interlocked.Increment(ref stale) % 10 == 0 ? throw new InvalidOperationException("soak") : new Answer(number)).WithStaleFallback(TimeSpan.FromMinutes(1));
        app.MapGet("/fallback", Answer () => throw new InvalidOperationException("soak")).WithFallback(static () => new Answer(-1));
        app.MapGet("/failing", static () => Results.StatusCode(StatusCodes.Status500InternalServerError));
        app.MapGet("/throwing", static async () =>
        {
            await Task.Yield();
            return ThrowsAlways();
        });
        app.MapGet("/refused", static () => new Answer(3)).WithCircuitBreaker(Refusing);
        app.MapGet("/narrow", static async () =>
        {
            await Task.Delay(10 * Work);
            return new Answer(4);
        }).WithBulkhead(Narrow);
        app.MapGet("/timeout", static (CancellationToken token) => Task.Delay(Timeout.Infinite, token)).WithTimeout(TimeSpan.FromMilliseconds(50));
        app.MapGet("/slow", static (CancellationToken token) => Task.Delay(TimeSpan.FromSeconds(1), token));
    }

    private static Answer ThrowsAlways() => throw new InvalidOperationException("soak");

    private static Dictionary<string, string?> Configuration() => new()
    {
        [$"Resilience:CircuitBreakers:{Wide}:Mode"] = nameof(CircuitMode.Enforce),
        [$"Resilience:CircuitBreakers:{Tenant}:PartitionBy"] = "RouteValue:tenant",
        [$"Resilience:CircuitBreakers:{Tenant}:MaxPartitions"] = (SoakTraffic.Tenants / 2).ToString(CultureInfo.InvariantCulture),
        [$"Resilience:CircuitBreakers:{Refusing}:Mode"] = nameof(CircuitMode.Enforce),
        [$"Resilience:Bulkheads:{Wide}:MaxConcurrency"] = "1000",
        [$"Resilience:Bulkheads:{Tenant}:MaxConcurrency"] = "1000",
        [$"Resilience:Bulkheads:{Tenant}:PartitionBy"] = "RouteValue:tenant",
        [$"Resilience:Bulkheads:{Tenant}:MaxPartitions"] = (SoakTraffic.Tenants / 2).ToString(CultureInfo.InvariantCulture),
        [$"Resilience:Bulkheads:{Narrow}:MaxConcurrency"] = "1",
        [$"Resilience:Bulkheads:{Narrow}:QueueLength"] = "1",
        ["Resilience:HttpClients:dependency:Retry:Delay"] = "00:00:00.010",
    };

    private sealed record Answer(int Id);

    private sealed class DependencyClient(HttpClient client)
    {
        public async Task<IResult> AskAsync(string path, CancellationToken cancellationToken)
        {
            using var response = await client.GetAsync(new Uri(path, UriKind.Relative), cancellationToken);
            return response.IsSuccessStatusCode ? Results.Bytes(await response.Content.ReadAsByteArrayAsync(cancellationToken), "application/json") : Results.StatusCode(StatusCodes.Status502BadGateway);
        }
    }
}
