using System.Diagnostics;

namespace ResilientHost.IntegrationTests.Contract;

/// <summary>Outbound calls: attempts side by side.</summary>
public sealed class OutboundHedgingContractTests
{
    [Fact]
    public async Task Hedging_FixedDelay_SecondAnswerWinsAndTheLoserIsCancelled()
    {
        await using var bench = await OutboundBench.StartAsync("""{ "Hedging": { "Delay": "00:00:00.100" } }""");
        bench.Upstream.Default.Replies(ScriptedReply.Hang(), ScriptedReply.Text("quick"));
        var watch = Stopwatch.StartNew();

        using var response = await bench.SendAsync();

        (await response.Content.ReadAsStringAsync()).ShouldBe("quick");
        watch.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(5));
        (await bench.Upstream.Requests[0].Ended.WaitAsync(TestService.Patience)).ShouldBe(ScriptedEnd.ClientGone);
        bench.Upstream.Requests[1].Headers["Resilience-Attempt"].ToString().ShouldBe("2");
        await TestService.EventuallyAsync(
            async () => (await bench.Service.StatusAsync()).GetProperty("httpClients")[0].GetProperty("authorities")[0].GetProperty("inFlight").GetInt32() == 0, "places given back");
        using var again = await bench.SendAsync();
        again.StatusCode.ShouldBe(HttpStatusCode.OK, "A loser counts for nothing.");
    }

    [Fact]
    public async Task Hedging_FailedFirst_NextBeginsAtOnce()
    {
        await using var bench = await OutboundBench.StartAsync("""{ "Hedging": { "Delay": "00:00:20" } }""");
        bench.Upstream.Default.Replies(ScriptedReply.Status(503), ScriptedReply.Status(200));
        var watch = Stopwatch.StartNew();

        (await bench.StatusAsync()).ShouldBe(200);

        watch.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(10));
    }

    [Theory]
    [InlineData("POST"), InlineData("PUT"), InlineData("DELETE"), InlineData("PATCH")]
    public async Task Hedging_UnsafeMethod_Never(string method)
    {
        await using var bench = await OutboundBench.StartAsync("""{ "Hedging": { "Delay": "00:00:00.050" } }""");
        bench.Upstream.Default.Replies(ScriptedReply.Status(200).WithDelay(TimeSpan.FromMilliseconds(500)));

        (await bench.StatusAsync(new HttpMethod(method), new RequestResilience { IsIdempotent = true })).ShouldBe(200);

        bench.Upstream.RequestCount.ShouldBe(1);
    }

    [Fact]
    public async Task Hedging_Quantile_AdaptsToWhatTheUpstreamTakes()
    {
        await using var bench = await OutboundBench.StartAsync("""{ "Hedging": { "Quantile": 0.9 }, "Retry": { "Budget": 1 } }""");
        bench.Upstream.Default.Replies(ScriptedReply.Status(200));
        // As many as a quantile needs, and no more: none of them is hedged itself, and what lost arrives late.
        for (var call = 0; call < 20; call++)
        {
            await bench.StatusAsync();
        }

        var before = bench.Upstream.RequestCount;
        bench.Upstream.Default.Replies(ScriptedReply.Hang(), ScriptedReply.Status(200));
        var watch = Stopwatch.StartNew();
        (await bench.StatusAsync()).ShouldBe(200);
        bench.Upstream.RequestCount.ShouldBe(before + 2);
        watch.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(5));
    }

    [Fact]
    public async Task Hedging_Budget_BoundsTheLoad()
    {
        await using var bench = await OutboundBench.StartAsync("""{ "Hedging": { "Delay": "00:00:00" }, "Retry": { "Budget": 0.1, "BudgetFloor": 5 }, "CircuitBreaker": { "Mode": "Disabled" } }""");
        bench.Upstream.Default.Replies(ScriptedReply.Status(200).WithDelay(TimeSpan.FromMilliseconds(5)));
        for (var call = 0; call < 100; call++)
        {
            (await bench.StatusAsync()).ShouldBe(200);
        }

        bench.Upstream.RequestCount.ShouldBeLessThanOrEqualTo(116);
    }

    [Fact]
    public async Task Hedging_AllFail_OneAnswerIsReturnedAndTheOthersDisposed()
    {
        var made = new List<TrackedResponse>();
        await using var bench = await OutboundBench.StartAsync("""{ "Hedging": { "Delay": "00:00:05", "MaxAttempts": 3 } }""", configure: pricing => pricing.AddHttpMessageHandler(() => new Stub(_ =>
        {
            var response = new TrackedResponse(HttpStatusCode.ServiceUnavailable);
            made.Add(response);
            return response;
        })));

        using var response = await bench.SendAsync();

        made.Count.ShouldBe(3);
        made.ShouldAllBe(tracked => tracked.Disposals == (tracked == response ? 0 : 1));
    }

    [Fact]
    public async Task Hedging_CallerCancels_EveryAttemptEnds()
    {
        await using var bench = await OutboundBench.StartAsync("""{ "Hedging": { "Delay": "00:00:00.050" } }""");
        bench.Upstream.Default.Replies(ScriptedReply.Hang());
        using var caller = new CancellationTokenSource();
        var sending = bench.Client.GetAsync("/price", caller.Token);
        await bench.Upstream.WaitForRequestsAsync(2);
        await caller.CancelAsync();

        (await Should.ThrowAsync<OperationCanceledException>(sending)).CancellationToken.ShouldBe(caller.Token);
        foreach (var request in bench.Upstream.Requests)
        {
            (await request.Ended.WaitAsync(TestService.Patience)).ShouldBe(ScriptedEnd.ClientGone);
        }
    }
}
