using System.Diagnostics;

namespace ResilientHost.IntegrationTests.Contract;

/// <summary>Outbound calls: options, reload, switches, what one request asks for.</summary>
public sealed class OutboundOptionsContractTests
{
    private const string Quick = """{ "Retry": { "Delay": "00:00:00.010" } }""";

    [Fact]
    public async Task Client_WithLayers_HasNoTimeoutOfItsOwn()
    {
        await using var bench = await OutboundBench.StartAsync(configure: pricing => pricing.ConfigureHttpClient(http => http.Timeout = TimeSpan.FromSeconds(3)));

        bench.Client.Timeout.ShouldBe(Timeout.InfiniteTimeSpan);
    }

    [Fact]
    public async Task Client_OwnTimeout_StillBoundsTheCall()
    {
        await using var bench = await OutboundBench.StartAsync(configure: pricing => pricing.ConfigureHttpClient(http => http.Timeout = TimeSpan.FromMilliseconds(300)));
        bench.Upstream.Default.Replies(ScriptedReply.Hang());
        var watch = Stopwatch.StartNew();

        (await bench.RefusedAsync()).Refusal.Reason.ShouldBe(RefusalReason.Timeout);

        watch.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(5));
    }

    [Fact]
    public async Task Reload_KeepsTheCircuitAndTakesTheRest()
    {
        await using var bench = await OutboundBench.StartAsync("""{ "Retry": { "MaxAttempts": 1 }, "CircuitBreaker": { "ConsecutiveFailures": 1, "BreakDuration": "00:01:00" } }""");
        bench.Upstream.Default.Replies(ScriptedReply.Status(500));
        await bench.StatusAsync();
        (await bench.RefusedAsync()).Refusal.Reason.ShouldBe(RefusalReason.CircuitOpen);

        bench.Reload("""{ "Retry": { "MaxAttempts": 2, "Delay": "00:00:00" }, "CircuitBreaker": { "ConsecutiveFailures": 50, "BreakDuration": "00:02:00" } }""");
        await Task.Yield();
        (await bench.RefusedAsync()).Refusal.RetryAfter!.Value.ShouldBeInRange(TimeSpan.FromSeconds(40), TimeSpan.FromSeconds(67));

        await using var other = await ScriptedServer.StartAsync();
        other.Default.Replies(ScriptedReply.Status(500));
        await TestService.EventuallyAsync(
            async () =>
            {
                var before = other.RequestCount;
                using var response = await bench.Client.GetAsync(other.Address);
                return other.RequestCount == before + 2;
            },
            "the reloaded number of attempts");
    }

    [Theory]
    [InlineData("""{ "Enabled": false, "Retry": { "MaxAttempts": 3 }, "CircuitBreaker": { "ConsecutiveFailures": 1 } }""", "")]
    [InlineData("{}", """, "Enabled": false""")]
    public async Task KillSwitch_PassesCallsThroughAndReloadsBothWays(string client, string rest)
    {
        await using var bench = await OutboundBench.StartAsync(client, rest);
        bench.Upstream.Default.Replies(ScriptedReply.Status(500));
        for (var call = 1; call <= 3; call++)
        {
            (await bench.StatusAsync()).ShouldBe(500);
            bench.Upstream.RequestCount.ShouldBe(call);
        }

        bench.Reload("""{ "Retry": { "MaxAttempts": 2, "Delay": "00:00:00" } }""");
        await TestService.EventuallyAsync(
            async () =>
            {
                var before = bench.Upstream.RequestCount;
                await bench.StatusAsync();
                return bench.Upstream.RequestCount == before + 2;
            },
            "retries are on");
    }

    [Fact]
    public async Task PerRequest_Overrides()
    {
        await using var bench = await OutboundBench.StartAsync(Quick);
        bench.Upstream.Default.Replies(ScriptedReply.Status(503));
        (await bench.StatusAsync(resilience: new RequestResilience { MaxAttempts = 1 })).ShouldBe(503);
        bench.Upstream.RequestCount.ShouldBe(1);
        (await bench.StatusAsync(resilience: new RequestResilience { MaxAttempts = 2 })).ShouldBe(503);
        bench.Upstream.RequestCount.ShouldBe(3);

        bench.Upstream.Default.Replies(ScriptedReply.Hang());
        var watch = Stopwatch.StartNew();
        (await bench.RefusedAsync(resilience: new RequestResilience { TotalTimeout = TimeSpan.FromMilliseconds(200) })).Refusal.Reason.ShouldBe(RefusalReason.Timeout);
        (await bench.RefusedAsync(resilience: new RequestResilience { AttemptTimeout = TimeSpan.FromMilliseconds(200), MaxAttempts = 1 })).Refusal.Reason.ShouldBe(RefusalReason.Timeout);
        watch.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(5));
    }

    [Fact]
    public async Task PerRequest_Longer_GoesBeyondTheOptions()
    {
        await using var bench = await OutboundBench.StartAsync("""{ "TotalTimeout": "00:00:00.200" }""");
        bench.Upstream.Default.Replies(ScriptedReply.Status(200).WithDelay(TimeSpan.FromMilliseconds(600)));

        (await bench.StatusAsync(resilience: new RequestResilience { TotalTimeout = TimeSpan.FromSeconds(10), AttemptTimeout = TimeSpan.FromSeconds(10) })).ShouldBe(200);
    }

    [Theory]
    [InlineData("""{ "TotalTimeout": "00:00:05", "AttemptTimeout": "00:00:06" }""", "AttemptTimeout")]
    [InlineData("""{ "AttemptTimeout": "00:01:00" }""", "AttemptTimeout")]
    [InlineData("""{ "Retry": { "MaxAttempts": 0 } }""", "MaxAttempts")]
    [InlineData("""{ "Retry": { "Budget": -1 } }""", "Budget")]
    [InlineData("""{ "Retry": { "Budget": "NaN" } }""", "Budget")]
    [InlineData("""{ "TotalTimeout": "-00:00:01" }""", "TotalTimeout")]
    [InlineData("""{ "Hedging": { "Quantile": 2 } }""", "Quantile")]
    [InlineData("""{ "Retries": { } , "Foo": 1 }""", "Foo")]
    [InlineData("""{ "CircuitBreaker": { "FailureRatio": 0 } }""", "FailureRatio")]
    [InlineData("""{ "Bulkhead": { "MaxConcurrency": -1 } }""", "MaxConcurrency")]
    public async Task Start_BadOptions_AreRefusedByName(string client, string names)
    {
        var error = await TestService.FailToStartAsync(new TestServiceSetup
        {
            Configuration = $$"""{ "HttpClients": { "pricing": {{client}} } }""",
            Builder = builder => builder.Services.AddHttpClient("pricing").AddResilienceLayers("pricing"),
        });

        error.ShouldContain(names);
        error.ShouldContain("pricing");
    }

    [Fact]
    public async Task Options_Inherit_FromDefaultAndByName()
    {
        await using var upstream = await ScriptedServer.StartAsync();
        upstream.Default.Replies(ScriptedReply.Status(503));
        await using var service = await TestService.StartAsync(new TestServiceSetup
        {
            Configuration = """{ "HttpClients": { "Default": { "Retry": { "MaxAttempts": 2, "Delay": "00:00:00" } }, "base": { "Retry": { "MaxAttempts": 4, "Delay": "00:00:00" } }, "derived": { "Inherit": "base", "TotalTimeout": "00:00:20" }, "plain": { "Inherit": "Default" } } }""",
            Builder = builder =>
            {
                builder.Services.AddHttpClient("derived").AddResilienceLayers();
                builder.Services.AddHttpClient("plain").AddResilienceLayers();
                builder.Services.AddHttpClient("unnamed").AddResilienceLayers();
            },
        });
        foreach (var (name, attempts) in new[] { ("derived", 4), ("plain", 2), ("unnamed", 2) })
        {
            var before = upstream.RequestCount;
            using var response = await service.Services.GetRequiredService<IHttpClientFactory>().CreateClient(name).GetAsync(upstream.Address);
            (upstream.RequestCount - before).ShouldBe(attempts, name);
        }
    }

    [Fact]
    public async Task Status_ListsTheClient()
    {
        await using var bench = await OutboundBench.StartAsync(Quick);
        bench.Upstream.Default.Replies(ScriptedReply.Status(503), ScriptedReply.Status(200));
        await bench.StatusAsync();

        var client = (await bench.Service.StatusAsync()).GetProperty("httpClients").EnumerateArray().Single();

        TestContext.Current.TestOutputHelper?.WriteLine(client.GetRawText());
        client.GetProperty("name").GetString().ShouldBe("pricing");
    }

    [Fact]
    public async Task Start_WithoutTheSuite_SaysWhatToCall()
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddHttpClient("pricing").AddResilienceLayers("pricing");
        using var host = builder.Build();

        (await Should.ThrowAsync<InvalidOperationException>(() => host.StartAsync())).Message.ShouldContain("AddResilienceLayers");
    }

    [Fact]
    public async Task Synchronous_Send_HasTheLayersToo()
    {
        await using var bench = await OutboundBench.StartAsync(Quick);
        bench.Upstream.Default.Replies(ScriptedReply.Status(503), ScriptedReply.Status(200));

        using var request = new HttpRequestMessage(HttpMethod.Get, "/price");
        using var response = await Task.Run(() => bench.Client.Send(request));

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        bench.Upstream.RequestCount.ShouldBe(2);
    }

    [Fact]
    public async Task Defaults_AreSound()
    {
        var options = new HttpClientResilienceOptions();
        options.Retry.MaxAttempts.ShouldBeInRange(2, 4);
        options.Retry.Budget.ShouldBe(0.1);
        options.CertificateWarning.ShouldBe(TimeSpan.FromDays(14));
        options.Retry.NonIdempotent.ShouldBeFalse();
        options.IsPeer.ShouldBeFalse();
        await Task.CompletedTask;
    }
}
