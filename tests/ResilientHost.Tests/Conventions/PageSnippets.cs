using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Caching.Hybrid;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace ResilientHost.Tests.Conventions;

/// <summary>Code that the pages of the layers show, compiled, and run where that says something.</summary>
public sealed class PageSnippets
{
    [Fact]
    public void Recovery_MappedInCode_IsInOptions()
    {
        var builder = WebApplication.CreateSlimBuilder();

        // readme: recovery
        builder.AddResilienceLayers(layers => layers.Recovery.MapException<OutOfStockException>(409, "out_of_stock"));
        // readme: end

        OptionsOf(builder).Recovery.ProblemCodes.Values.ShouldContain("out_of_stock");
    }

    [Fact]
    public async Task Layers_OnEndpoints_AreMetadata()
    {
        await using var app = WebApplication.CreateSlimBuilder().Build();

        // readme: bulkhead
        app.MapPost("/checkout", Checkout.Post).WithBulkhead("checkout");
        // readme: end

        // readme: circuit-breaker
        app.MapGet("/stock/{id}", Stock.Get).WithCircuitBreaker("warehouse");
        // readme: end

        // readme: timeout
        app.MapGet("/search", Search.Run).WithTimeout(TimeSpan.FromSeconds(2));
        // readme: end

        ((IEndpointRouteBuilder)app).DataSources.SelectMany(source => source.Endpoints).Count().ShouldBe(3);
    }

    [Fact]
    public async Task Outbound_ForOneRequest_AnswersAsConfigured()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.AddResilienceLayers();

        // readme: outbound-client
        builder.Services.AddHttpClient<PricingClient>().AddResilienceLayers("pricing");
        // readme: end

        builder.Services.AddHttpClient<PricingClient>().ConfigurePrimaryHttpMessageHandler(() => new Answering());
        await using var app = builder.Build();
        var response = await app.Services.GetRequiredService<PricingClient>().OrderAsync(new Uri("http://pricing.test/orders"), TestContext.Current.CancellationToken);
        response.IsSuccessStatusCode.ShouldBeTrue();
    }

    [Fact]
    public async Task Cache_OfProducts_AsksItsFactoryOnce()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.AddResilienceLayers();

        // readme: cache
        builder.Services.AddResilientCache();
        // readme: end

        await using var app = builder.Build();
        var products = new Products(app.Services.GetRequiredService<HybridCache>());
        (await products.FindAsync(1, TestContext.Current.CancellationToken)).ShouldBe("tea");
        (await products.FindAsync(1, TestContext.Current.CancellationToken)).ShouldBe("tea");
        products.Asked.ShouldBe(1);
    }

    [Fact]
    public async Task Items_WrittenToJournal_AreAccepted()
    {
        var folder = Directory.CreateTempSubdirectory("journal-");
        try
        {
            await using var orders = new JournaledChannel<Order>(folder.FullName);
            (await AcceptAsync(orders, new("Ada"), TestContext.Current.CancellationToken)).ShouldBeOfType<Microsoft.AspNetCore.Http.HttpResults.Accepted>();
            orders.Reader.TryRead(out var order).ShouldBeTrue();
            order!.Customer.ShouldBe("Ada");
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    // readme: journal-write
    private static async Task<IResult> AcceptAsync(JournaledChannel<Order> orders, Order order, CancellationToken cancellationToken)
    {
        await orders.Writer.WriteAsync(order, cancellationToken); // on disk from here on
        return TypedResults.Accepted((string?)null);
    }
    // readme: end

    [Fact]
    public async Task DeadLetters_OfEmptyFolder_AreNone()
    {
        var folder = Directory.CreateTempSubdirectory("letters-");
        try
        {
            var resent = new List<string>();
            await ResendAsync(new DeadLetterJournal(folder.FullName), item => resent.Add(item), TestContext.Current.CancellationToken);
            resent.ShouldBeEmpty();
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task ResendAsync(DeadLetterJournal journal, Action<string> send, CancellationToken cancellationToken)
    {
        // readme: dead-letters
        await foreach (var letter in journal.ReadAsync(cancellationToken))
        {
            if (letter is { Worker: "orders", IsTruncated: false })
            {
                send(letter.Item); // the item as JSON
                await journal.RemoveAsync(letter.Id, cancellationToken);
            }
        }
        // readme: end
    }

    [Fact]
    public async Task IsolatedTask_FromRequest_Runs()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.AddResilienceLayers();
        await using var app = builder.Build();
        var tasks = app.Services.GetRequiredService<IIsolatedTasks>();
        var sent = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

        SendReceipt(tasks, _ => Task.FromResult(sent.TrySetResult()));

        await sent.Task.WaitAsync(TestContext.Current.CancellationToken);
    }

    private static void SendReceipt(IIsolatedTasks tasks, Func<CancellationToken, Task> sendReceiptAsync)
    {
        // readme: isolated-task
        _ = tasks.Run("send-receipt", token => sendReceiptAsync(token));
        // readme: end
    }

    [Fact]
    public void Shutdown_WithDelay_FitsTheHost()
    {
        var builder = WebApplication.CreateSlimBuilder();

        // readme: shutdown
        builder.AddResilienceLayers(layers => layers.Shutdown.ReadinessDelay = TimeSpan.FromSeconds(5));
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(40));
        // readme: end

        OptionsOf(builder).Shutdown.ReadinessDelay.ShouldBe(TimeSpan.FromSeconds(5));
    }

    [Fact]
    public void Callers_ToldApartInCode_AreInOptions()
    {
        var builder = WebApplication.CreateSlimBuilder();

        // readme: callers
        builder.AddResilienceLayers(layers =>
        {
            layers.Bulkheads.Configure("import", import => import.PartitionKey = context => context.User.FindFirst("tenant")?.Value);
            layers.TrustedCallers.IsTrusted = context => context.Connection.ClientCertificate is not null;
        });
        // readme: end

        OptionsOf(builder).Bulkheads["import"].PartitionKey.ShouldNotBeNull();
    }

    [Fact]
    public async Task Health_InProgram_IsMapped()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.AddResilienceLayers();
        await using var app = builder.Build();

        // readme: health
        app.MapResilienceHealth();
        // readme: end

        ((IEndpointRouteBuilder)app).DataSources.SelectMany(source => source.Endpoints).Count().ShouldBe(2);
    }

    internal static ResilienceOptions OptionsOf(IHostApplicationBuilder builder)
    {
        using var services = builder.Services.BuildServiceProvider();
        return services.GetRequiredService<IOptions<ResilienceOptions>>().Value;
    }

    private sealed class OutOfStockException : Exception;

    internal sealed record Order(string Customer);

    internal sealed class PricingClient(HttpClient http)
    {
        public async Task<HttpResponseMessage> OrderAsync(Uri address, CancellationToken cancellationToken)
        {
            // readme: outbound-request
            using var request = new HttpRequestMessage(HttpMethod.Post, address)
                .WithResilience(new() { TotalTimeout = TimeSpan.FromSeconds(3), IsIdempotent = true });
            return await http.SendAsync(request, cancellationToken);
            // readme: end
        }
    }

    private sealed class Answering : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            Task.FromResult(new HttpResponseMessage { RequestMessage = request });
    }

    private sealed class Products(HybridCache cache)
    {
        public int Asked { get; private set; }

        public async ValueTask<string> FindAsync(int id, CancellationToken cancellationToken)
        {
            // readme: cache-read
            return await cache.GetOrCreateAsync($"product:{id}", token => LoadAsync(id, token), cancellationToken: cancellationToken);
            // readme: end
        }

        private ValueTask<string> LoadAsync(int id, CancellationToken cancellationToken)
        {
            cancellationToken.ThrowIfCancellationRequested();
            Asked++;
            return ValueTask.FromResult(id == 1 ? "tea" : "nothing");
        }
    }

    private static class Checkout
    {
        public static IResult Post() => Results.Accepted();
    }

    private static class Stock
    {
        public static int Get(int id) => id;
    }

    private static class Search
    {
        public static string[] Run() => ["tea"];
    }
}
