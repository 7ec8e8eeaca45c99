using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Timeouts;
using Microsoft.AspNetCore.RateLimiting;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Polly;
using Polly.CircuitBreaker;
using Polly.Registry;
using Polly.Retry;

namespace ResilientHost.Tests.Conventions;

/// <summary>Code that the migration guide shows: what was there before, and what takes its place.</summary>
public sealed class MigrationSnippets
{
    [Fact]
    public async Task Polly_BeforeAndAfter_CallOnce()
    {
        var calls = 0;

        // readme: polly-before
        var before = new ResiliencePipelineBuilder()
            .AddTimeout(TimeSpan.FromSeconds(2))
            .AddRetry(new RetryStrategyOptions { MaxRetryAttempts = 2, BackoffType = DelayBackoffType.Exponential, UseJitter = true })
            .AddCircuitBreaker(new CircuitBreakerStrategyOptions { FailureRatio = 0.5, MinimumThroughput = 20 })
            .AddTimeout(TimeSpan.FromMilliseconds(700))
            .Build();
        // readme: end

        var builder = WebApplication.CreateSlimBuilder();
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Resilience:Calls:orders-db:TotalTimeout"] = "00:00:02",
            ["Resilience:CircuitBreakers:warehouse:FailureRatio"] = "0.5",
        });
        builder.AddResilienceLayers();
        await using var app = builder.Build();
        var pipelines = app.Services.GetRequiredService<ResiliencePipelineRegistry<string>>();
        var breakers = app.Services.GetRequiredService<CircuitBreakerRegistry>();

        // readme: polly-breaker
        var warehouse = new ResiliencePipelineBuilder()
            .AddRetry(new RetryStrategyOptions { MaxRetryAttempts = 2 })
            .AddResilientCircuitBreaker(breakers.Get("warehouse"))
            .AddTimeout(TimeSpan.FromMilliseconds(700))
            .Build();
        // readme: end

        // readme: polly-after
        var after = pipelines.GetPipeline("orders-db");
        // readme: end

        foreach (var pipeline in new[] { before, warehouse, after })
        {
            await pipeline.ExecuteAsync(_ => { calls++; return ValueTask.CompletedTask; }, TestContext.Current.CancellationToken);
        }

        calls.ShouldBe(3);
    }

    [Fact]
    public async Task ExceptionHandler_InPlaceOfErrorPath_IsRegistered()
    {
        var builder = WebApplication.CreateSlimBuilder();

        // readme: exception-handler-after
        builder.AddResilienceLayers(layers => layers.Recovery.MapException<OutOfStockException>(409, "out_of_stock"));
        builder.Services.AddExceptionHandler<MaintenanceAnswer>();
        builder.Services.AddProblemDetails(problems => problems.CustomizeProblemDetails = context =>
            context.ProblemDetails.Extensions["support"] = "https://shop.example/support");
        // readme: end

        await using var app = builder.Build();
        app.Services.GetServices<IExceptionHandler>().ShouldHaveSingleItem().ShouldBeOfType<MaintenanceAnswer>();
    }

    // readme: exception-handler
    internal sealed class MaintenanceAnswer : IExceptionHandler
    {
        public async ValueTask<bool> TryHandleAsync(HttpContext context, Exception exception, CancellationToken cancellationToken)
        {
            if (exception is not MaintenanceException)
            {
                return false; // the next handler, the fallback, the problem
            }

            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            await context.Response.WriteAsync("The shop is being repaired.", cancellationToken);
            return true;
        }
    }
    // readme: end

    [Fact]
    public async Task RateLimiter_BeforeAndAfter_IsMetadata()
    {
        var builder = WebApplication.CreateSlimBuilder();

        // readme: limiter-before
        builder.Services.AddRateLimiter(limiter => limiter.AddConcurrencyLimiter("checkout", options =>
        {
            options.PermitLimit = 20;
            options.QueueLimit = 50;
            options.QueueProcessingOrder = QueueProcessingOrder.OldestFirst;
        }));
        // readme: end

        await using var app = builder.Build();
        app.MapPost("/before", Checkout.Post).RequireRateLimiting("checkout");

        // readme: limiter-after
        app.MapPost("/checkout", Checkout.Post).WithBulkhead("checkout");
        // readme: end

        ((IEndpointRouteBuilder)app).DataSources.SelectMany(source => source.Endpoints).Count().ShouldBe(2);
    }

    [Fact]
    public async Task RequestTimeouts_BeforeAndAfter_AreMetadata()
    {
        var builder = WebApplication.CreateSlimBuilder();

        // readme: timeouts-before
        builder.Services.AddRequestTimeouts(timeouts => timeouts.DefaultPolicy = new RequestTimeoutPolicy { Timeout = TimeSpan.FromSeconds(10) });
        // readme: end

        await using var app = builder.Build();
        app.MapGet("/before", Checkout.Post).WithRequestTimeout(TimeSpan.FromSeconds(2));

        // readme: timeouts-after
        app.MapGet("/search", Search.Run).WithTimeout(TimeSpan.FromSeconds(2));
        // readme: end

        ((IEndpointRouteBuilder)app).DataSources.SelectMany(source => source.Endpoints).Count().ShouldBe(2);
    }

    [Fact]
    public void Worker_InPlaceOfBackgroundService_IsRegistered()
    {
        var builder = WebApplication.CreateBuilder();
        builder.AddResilienceLayers();
        builder.Services.AddHostedService<StockService>();

        // readme: worker-registration
        builder.Services.AddResilientWorker<StockWorker>("stock", worker => worker.HeartbeatTimeout = TimeSpan.FromMinutes(5));
        // readme: end

        PageSnippets.OptionsOf(builder).Workers["stock"].HeartbeatTimeout.ShouldBe(TimeSpan.FromMinutes(5));
    }

    // readme: worker-before
    internal sealed class StockService(ILogger<StockService> logger) : BackgroundService
    {
        protected override async Task ExecuteAsync(CancellationToken stoppingToken)
        {
            using var timer = new PeriodicTimer(TimeSpan.FromMinutes(1));
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                try
                {
                    await Stock.SynchronizeAsync(stoppingToken);
                }
                catch (Exception exception) when (exception is not OperationCanceledException)
                {
                    logger.LogError(exception, "Synchronising the stock failed.");
                }
            }
        }
    }
    // readme: end

    // readme: worker-after
    internal sealed class StockWorker() : PeriodicWorker(TimeSpan.FromMinutes(1))
    {
        protected override Task RunIterationAsync(WorkerContext context, CancellationToken stoppingToken) => Stock.SynchronizeAsync(stoppingToken);
    }
    // readme: end

    private sealed class OutOfStockException : Exception;

    private sealed class MaintenanceException : Exception;

    private static class Checkout
    {
        public static IResult Post() => Results.Accepted();
    }

    private static class Search
    {
        public static string[] Run() => ["tea"];
    }

    private static class Stock
    {
        public static Task SynchronizeAsync(CancellationToken cancellationToken) => Task.FromCanceled(cancellationToken);
    }
}
