using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace ResilientHost.Tests.Pipeline;

public sealed class CallerPartitionsTests
{
    private int _asked;

    [Fact]
    public async Task Invoke_LayersTellCallersApartInOneWay_TheKeyIsAskedForOnce()
    {
        Func<HttpContext, string?> key = _ => $"caller {++_asked}";
        using var host = Build(key, key);

        await CallAsync(host);

        _asked.ShouldBe(1);
        PartitionsOf(host).ShouldBe((1, 1));
    }

    [Fact]
    public async Task Invoke_LayersTellCallersApartInDifferentWays_EachHasItsOwnKey()
    {
        using var host = Build(static _ => "caller", _ => $"caller {++_asked}");

        await CallAsync(host);
        await CallAsync(host);

        _asked.ShouldBe(2);
        PartitionsOf(host).ShouldBe((1, 2));
    }

    private static IHost Build(Func<HttpContext, string?> circuitKey, Func<HttpContext, string?> bulkheadKey)
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton<TimeProvider>(new ManualTimeProvider());
        builder.AddResilienceLayers(layers =>
        {
            layers.CircuitBreakers.Configure("db", db => db.PartitionKey = circuitKey);
            layers.Bulkheads.Configure("db", db => db.PartitionKey = bulkheadKey);
        });
        return builder.Build();
    }

    private static async Task CallAsync(IHost host)
    {
        var context = new DefaultHttpContext { RequestServices = host.Services };
        context.SetEndpoint(LayersUnderTest.Endpoint(static _ => Task.CompletedTask, "GET /db", new BulkheadAttribute("db"), new CircuitBreakerAttribute("db")));
        await LayersUnderTest.Build(host.Services)(context);
        context.Response.StatusCode.ShouldBe(200);
    }

    private static (int Circuits, int Shares) PartitionsOf(IHost host) =>
        (host.Services.GetRequiredService<CircuitBreakerRegistry>().Get("db").Partitions!.Count, host.Services.GetRequiredService<BulkheadRegistry>().Get("db").Shares!.Partitions);
}
