using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Polly;
using Polly.CircuitBreaker;
using ResilientHost.Benchmarks.CircuitBreaking;
using ResilientHost.Benchmarks.Exceptions;
using ResilientHost.Benchmarks.Requests;

namespace ResilientHost.Benchmarks.Http;

/// <summary>Web applications as people build them, with one endpoint that returns a small object as JSON. They differ only in what protects it.</summary>
/// <remarks>Nothing is logged, but where failures are what is served: a service without a log of its failures is none.</remarks>
internal static class ServedApplications
{
    public const string Path = "/product";
    private const int Frames = 10;
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);
    private static readonly Product Answer = new(1, "Kettle", 39.90m);

    public static WebApplication Bare()
    {
        var app = Builder().Build();
        app.MapGet(Path, static () => Answer);
        return app;
    }

    /// <summary>What a team would put together from the framework and Polly for the same protection.</summary>
    public static WebApplication StockStack()
    {
        var builder = Builder();
        builder.Services.AddProblemDetails();
        builder.Services.AddRequestTimeouts();
        builder.Services.AddRateLimiter(static options => options.GlobalLimiter = PartitionedRateLimiter.Create<HttpContext, string>(
            static _ => RateLimitPartition.GetConcurrencyLimiter("all", static _ => new ConcurrencyLimiterOptions { PermitLimit = Layers.MaxConcurrency })));
        var app = builder.Build();
        app.UseExceptionHandler();
        app.UseRateLimiter();
        app.UseRequestTimeouts();
        var breaker = new ResiliencePipelineBuilder().AddCircuitBreaker(new CircuitBreakerStrategyOptions()).Build();
        app.Use((HttpContext context, RequestDelegate next) => breaker.ExecuteAsync(
            static (call, _) => new ValueTask(call.next(call.context)), (next, context), CancellationToken.None).AsTask());
        app.MapGet(Path, static () => Answer).WithRequestTimeout(Timeout);
        return app;
    }

    /// <summary>All layers of this library, and all of them enforce.</summary>
    public static WebApplication Layered(bool withTimeout = false)
    {
        var app = WithLayers(Builder());
        var endpoint = app.MapGet(Path, static () => Answer).WithCircuitBreaker(Layers.Name).WithBulkhead(Layers.Name);
        if (withTimeout)
        {
            endpoint.WithTimeout(Timeout);
        }

        return app;
    }

    /// <summary>The breaker of the endpoint is open for as long as this is measured, and says so in a problem.</summary>
    public static WebApplication LayeredOpen()
    {
        var app = Layered();
        app.Services.GetRequiredService<CircuitBreakerRegistry>().Get(Layers.Name).ForceOpen(TimeSpan.FromDays(1));
        return app;
    }

    /// <summary>The endpoint calls something behind an open Polly breaker and lets its exception go, which the framework's handler answers.</summary>
    public static WebApplication StockPollyOpen()
    {
        var breaker = PollyCalls.OpenBreaker();
        return WithHandler(Builder(), async () =>
        {
            await breaker.ExecuteAsync(Work.Succeeds);
            return Answer;
        });
    }

    /// <summary>A storm: every request fails beneath ten asynchronous frames.</summary>
    public static WebApplication StockThrowing() => WithHandler(Logging(Builder()), static () => FailAsync(Frames));

    /// <summary>The same storm. No breaker is named: it would open, and refusals would be measured.</summary>
    public static WebApplication LayeredThrowing()
    {
        var app = WithLayers(Logging(Builder()));
        app.MapGet(Path, static () => FailAsync(Frames));
        return app;
    }

    private static WebApplication WithHandler(WebApplicationBuilder builder, Delegate endpoint)
    {
        builder.Services.AddProblemDetails();
        var app = builder.Build();
        app.UseExceptionHandler();
        app.MapGet(Path, endpoint);
        return app;
    }

    private static WebApplication WithLayers(WebApplicationBuilder builder)
    {
        builder.Configuration.AddInMemoryCollection(Layers.Configuration);
        builder.Configuration.AddInMemoryCollection([new("Resilience:Degradation:Mode", nameof(DegradationMode.Enforce))]);
        builder.AddResilienceLayers();
        var app = builder.Build();
        app.UseResilienceLayers();
        return app;
    }

    private static async Task<Product> FailAsync(int frames) =>
        frames > 1 ? await FailAsync(frames - 1) : throw new InvalidOperationException("benchmark");

    private static WebApplicationBuilder Logging(WebApplicationBuilder builder)
    {
        // The levels that every template sets.
        builder.Logging.AddProvider(new FormattedLog()).AddFilter("Microsoft.AspNetCore", LogLevel.Warning);
        return builder;
    }

    private static WebApplicationBuilder Builder()
    {
        // The folder of the program holds no settings that would be read.
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = Environments.Production, ContentRootPath = AppContext.BaseDirectory });
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        return builder;
    }

    private sealed record Product(int Id, string Name, decimal Price);
}
