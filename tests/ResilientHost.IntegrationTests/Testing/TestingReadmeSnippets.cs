using System.Diagnostics.Metrics;
using Microsoft.Extensions.Configuration;

namespace ResilientHost.IntegrationTests.Testing;

/// <summary>Code that the README of ResilientHost.Testing shows, compiled and run.</summary>
public sealed class TestingReadmeSnippets
{
    // readme: whole
    [Fact]
    public async Task Price_WarehouseDown_IsRefusedWithoutACallUntilTheBreakIsOver()
    {
        await using var warehouse = await ScriptedServer.StartAsync();
        var stock = warehouse.On("GET", "/stock/{sku}").Replies(
            ScriptedReply.Status(503).Times(2),
            ScriptedReply.Reset(),
            ScriptedReply.Json(new { Left = 3 }));

        var time = new ManualTimeProvider();
        using var logs = new LogRecorder();
        await using var shop = await StartShopAsync(warehouse, time, logs);
        using var metrics = new MetricRecorder(ResilienceDiagnostics.MeterName, shop.Services.GetRequiredService<IMeterFactory>());
        using var caller = new HttpClient { BaseAddress = new Uri(shop.Urls.Single()) };

        for (var i = 0; i < 3; i++)
        {
            (await caller.GetAsync("/left/7")).IsSuccessStatusCode.ShouldBeFalse();
        }

        (await caller.GetAsync("/left/7")).StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        stock.RequestCount.ShouldBe(3); // the fourth was refused without a call
        metrics.RecordObservableInstruments();
        metrics.Last(ResilienceDiagnostics.Instruments.CircuitBreakerRefusals, (ResilienceDiagnostics.Tags.CircuitBreakerName, "warehouse")).ShouldBe(1);
        await logs.WaitForAsync(entry => entry.Message.Contains("warehouse"), TimeSpan.FromSeconds(10));

        time.Advance(TimeSpan.FromMinutes(1)); // the break is over, and nobody waited

        (await caller.GetStringAsync("/left/7")).ShouldBe("""{"left":3}""");
        stock.Requests.ShouldAllBe(request => request.IsScripted && request.Path == "/stock/7");
    }

    private static async Task<WebApplication> StartShopAsync(ScriptedServer warehouse, TimeProvider time, LogRecorder logs)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Configuration.AddInMemoryCollection([
            new("urls", "http://127.0.0.1:0"),
            new("Resilience:CircuitBreakers:warehouse:ConsecutiveFailures", "3"),
            new("Resilience:CircuitBreakers:warehouse:BreakDuration", "00:00:30")]);
        builder.Logging.ClearProviders().AddProvider(logs);
        builder.Services.AddSingleton(time);
        builder.Services.AddSingleton(_ => warehouse.CreateClient());
        builder.AddResilienceLayers();

        var app = builder.Build();
        app.UseResilienceLayers();
        app.MapGet("/left/{sku}", (string sku, HttpClient http) => http.GetStringAsync($"/stock/{sku}")).WithCircuitBreaker("warehouse");
        await app.StartAsync();
        return app;
    }
    // readme: end

    [Fact]
    public async Task Call_ThatHangs_EndsWithItsCaller()
    {
        // readme: hang
        await using var warehouse = await ScriptedServer.StartAsync();
        warehouse.Default.Replies(ScriptedReply.Hang());
        using var http = warehouse.CreateClient();
        using var caller = new CancellationTokenSource();

        var call = http.GetAsync("/stock/7", caller.Token);
        var request = (await warehouse.WaitForRequestsAsync(1))[0];
        await caller.CancelAsync();

        (await request.Ended).ShouldBe(ScriptedEnd.ClientGone); // the cancellation has reached the upstream
        await Should.ThrowAsync<OperationCanceledException>(() => call);
        // readme: end
    }

    [Fact]
    public async Task Body_ThatDripsInManualTime_IsReadAsItComes()
    {
        // readme: drip
        var time = new ManualTimeProvider();
        await using var warehouse = await ScriptedServer.StartAsync(new ScriptedServerOptions { TimeProvider = time });
        warehouse.Default.Replies(ScriptedReply.Text("abcd").InChunks(2, pause: TimeSpan.FromMinutes(1)).WithDelay(TimeSpan.FromMinutes(5)));
        using var http = warehouse.CreateClient();

        var call = http.GetAsync("/", HttpCompletionOption.ResponseHeadersRead);
        await warehouse.WaitForRequestsAsync(1); // the delay's timer is armed
        time.Advance(TimeSpan.FromMinutes(5));

        using var response = await call; // status, headers and "ab" are here, and the pause's timer is armed
        time.Advance(TimeSpan.FromMinutes(1));
        (await response.Content.ReadAsStringAsync()).ShouldBe("abcd");
        // readme: end
    }

    [Fact]
    public async Task Certificate_ThatRanOut_FailsTheHandshake()
    {
        // readme: certificate
        await using var warehouse = await ScriptedServer.StartAsync(new ScriptedServerOptions { Certificate = ScriptedCertificate.Expired });
        using var http = warehouse.CreateClient();

        var error = await Should.ThrowAsync<HttpRequestException>(() => http.GetAsync("/"));

        error.HttpRequestError.ShouldBe(HttpRequestError.SecureConnectionError);
        warehouse.RequestCount.ShouldBe(0);
        // readme: end
    }
}
