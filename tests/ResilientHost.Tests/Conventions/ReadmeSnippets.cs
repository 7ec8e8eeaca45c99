using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Caching.Hybrid;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Polly;
using Polly.Registry;

namespace ResilientHost.Tests.Conventions;

/// <summary>Code that the README shows, compiled and run.</summary>
public sealed class ReadmeSnippets
{
    [Fact]
    public async Task Layers_OnEndpoints_AreMetadata()
    {
        await using var app = WebApplication.CreateSlimBuilder().Build();

        // readme: layers
        app.MapPost("/checkout", Checkout.Post).WithBulkhead("checkout").WithCircuitBreaker("checkout");

        var admin = app.MapGroup("/admin").WithBulkhead("admin");
        admin.MapGet("/ping", () => "pong").DisableResilience();
        // readme: end

        ((IEndpointRouteBuilder)app).DataSources.SelectMany(source => source.Endpoints).Count().ShouldBe(2);
    }

    [Fact]
    public async Task Operations_OnOnePath_AreMappedSideBySide()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.AddResilienceLayers();
        await using var app = builder.Build();

        // readme: operations
        app.MapResilienceHealth();
        app.MapResilienceDashboard("/resilience").RequireAuthorization("ops");
        app.MapResilienceOperations("/resilience").RequireAuthorization("on-call");
        // readme: end

        var paths = ((IEndpointRouteBuilder)app).DataSources.SelectMany(source => source.Endpoints).OfType<RouteEndpoint>().Select(endpoint => endpoint.RoutePattern.RawText).ToList();
        paths.ShouldBeUnique();
        new[] { "/health/live", "/health/ready", "/resilience/", "/resilience/status", "/resilience/level", "/resilience/circuit-breakers/isolate" }.ShouldBeSubsetOf(paths);
    }

    [Fact]
    public async Task Fallbacks_OnEndpoints_AreMetadata()
    {
        await using var app = WebApplication.CreateSlimBuilder().Build();

        // readme: fallbacks
        app.MapGet("/products/{id}", Catalogue.Get)
            .WithTimeout(TimeSpan.FromSeconds(2))
            .WithFallback((int id, FallbackContext context) => new Product(id, "not known right now"))
            .WithStaleFallback(TimeSpan.FromMinutes(10));
        // readme: end

        ((IEndpointRouteBuilder)app).DataSources.SelectMany(source => source.Endpoints).ShouldHaveSingleItem();
    }

    [Fact]
    public async Task Degradation_OnEndpoints_IsMetadata()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.AddResilienceLayers();
        await using var app = builder.Build();

        // readme: degradation
        app.MapGet("/recommendations", Recommend.Get).WithCriticality(Criticality.Sheddable);
        app.MapPost("/checkout", Checkout.Post).WithCriticality(Criticality.Critical);

        // Code can do less, too.
        app.MapGet("/search", (IServiceLevel level) => level.Current == ServiceLevel.Normal ? Search.Ranked() : Search.Plain());
        // readme: end

        ((IEndpointRouteBuilder)app).DataSources.SelectMany(source => source.Endpoints).Count().ShouldBe(3);
    }

    [Fact]
    public async Task Engine_UsedAlone_Admits()
    {
        Func<CancellationToken, Task> callWarehouseAsync = _ => Task.CompletedTask;
        var cancellationToken = TestContext.Current.CancellationToken;

        // readme: engine
        var circuit = new CircuitBreaker("warehouse", new CircuitBreakerOptions { ConsecutiveFailures = 5 });

        if (circuit.TryEnter(out var permit, out var refusal))
        {
            var outcome = CallOutcome.Failed;
            try
            {
                await callWarehouseAsync(cancellationToken);
                outcome = CallOutcome.Succeeded;
            }
            finally
            {
                circuit.Exit(permit, outcome);
            }
        }
        else
        {
            Console.WriteLine($"{refusal.Reason} by {refusal.Source}, retry after {refusal.RetryAfter}");
        }
        // readme: end

        circuit.Snapshot().Calls.ShouldBe(1);
    }

    [Fact]
    public async Task Engine_InPollyPipeline_Admits()
    {
        var circuit = new CircuitBreaker("warehouse", new CircuitBreakerOptions());
        var bulkhead = new Bulkhead("warehouse", new BulkheadOptions());
        var cancellationToken = TestContext.Current.CancellationToken;

        // readme: polly
        var pipeline = new ResiliencePipelineBuilder()
            .AddResilientBulkhead(bulkhead)
            .AddResilientCircuitBreaker(circuit)
            .Build();

        await pipeline.ExecuteAsync(static async token => await Task.Yield(), cancellationToken);
        // readme: end

        bulkhead.Snapshot().InFlight.ShouldBe(0);
        circuit.Snapshot().Calls.ShouldBe(1);
    }

    [Fact]
    public async Task Outbound_InReadme_IsRegistered()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?> { ["Resilience:Calls:orders-db:TotalTimeout"] = "00:00:02" });
        builder.AddResilienceLayers();

        // readme: outbound
        builder.Services.AddHttpClient<PricingClient>().AddResilienceLayers("pricing");
        builder.Services.AddResilientCache();
        // readme: end

        await using var app = builder.Build();
        app.Services.GetRequiredService<PricingClient>().Timeout.ShouldBe(Timeout.InfiniteTimeSpan);
        app.Services.GetRequiredService<HybridCache>().ShouldNotBeNull();
        var database = new Database();
        (await SaveAsync(app.Services.GetRequiredService<ResiliencePipelineRegistry<string>>(), database, new("Ada"), TestContext.Current.CancellationToken)).ShouldBe(1);
    }

    private static async Task<int> SaveAsync(ResiliencePipelineRegistry<string> pipelines, Database database, Order order, CancellationToken cancellationToken)
    {
        // readme: calls
        var orders = pipelines.GetPipeline("orders-db");

        await orders.ExecuteAsync(async token => await database.SaveAsync(order, token), cancellationToken);
        // readme: end

        return database.Saved;
    }

    [Fact]
    public void Workers_InReadme_AreRegistered()
    {
        var builder = WebApplication.CreateBuilder();
        builder.AddResilienceLayers();

        // readme: workers
        builder.Services.AddSingleton(_ => new JournaledChannel<Order>("order-journal"));
        builder.Services.AddResilientWorker<OrderWorker>("orders");
        builder.Services.AddResilientWorker<StockSync>("stock", worker => worker.DependsOn = "orders");
        // readme: end

        var options = builder.Services.BuildServiceProvider().GetRequiredService<IOptions<ResilienceOptions>>().Value;
        options.Workers["stock"].DependsOn.ShouldBe("orders");
    }

    // readme: worker
    internal sealed class OrderWorker(JournaledChannel<Order> orders) : IResilientWorker
    {
        // Throw, and the supervisor starts a new instance after a delay; return, and the work is done for good.
        public Task RunAsync(WorkerContext context, CancellationToken stoppingToken) =>
            context.ProcessAsync(orders, ShipAsync, new() { Name = "ship", MaxConcurrency = 4, OrderBy = order => order.Customer }, stoppingToken);

        private static Task ShipAsync(Order order, CancellationToken cancellationToken) => Shipping.SendAsync(order, cancellationToken);
    }

    internal sealed class StockSync() : PeriodicWorker(TimeSpan.FromMinutes(1))
    {
        protected override Task RunIterationAsync(WorkerContext context, CancellationToken stoppingToken) => Stock.SynchronizeAsync(stoppingToken);
    }
    // readme: end

    internal sealed record Order(string Customer);

    internal sealed class PricingClient(HttpClient http)
    {
        public TimeSpan Timeout => http.Timeout;
    }

    private sealed class Database
    {
        public int Saved { get; private set; }

        public async Task SaveAsync(Order order, CancellationToken cancellationToken)
        {
            await Task.Yield();
            cancellationToken.ThrowIfCancellationRequested();
            Saved += order.Customer.Length > 0 ? 1 : 0;
        }
    }

    private static class Shipping
    {
        public static Task SendAsync(Order order, CancellationToken cancellationToken) => order.Customer.Length > 0 ? Task.CompletedTask : Task.FromCanceled(cancellationToken);
    }

    private static class Stock
    {
        public static Task SynchronizeAsync(CancellationToken cancellationToken) => Task.FromCanceled(cancellationToken);
    }

    private sealed record Product(int Id, string Name);

    private static class Catalogue
    {
        public static Product Get(int id) => new(id, "tea");
    }

    private static class Recommend
    {
        public static string[] Get() => ["tea"];
    }

    private static class Search
    {
        public static string[] Ranked() => ["tea"];

        public static string[] Plain() => ["tea"];
    }

    private static class Checkout
    {
        public static IResult Post() => Results.Accepted();
    }
}
