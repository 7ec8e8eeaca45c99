using System.Diagnostics;

namespace ResilientHost.IntegrationTests.Contract;

/// <summary>Outbound calls: outcomes, refusals, order of the layers, authorities, certificates.</summary>
public sealed class OutboundContractTests
{
    private const string Once = """{ "Retry": { "MaxAttempts": 1 }, "CircuitBreaker": { "ConsecutiveFailures": 2, "BreakDuration": "00:01:00" } }""";

    [Theory]
    [InlineData(500), InlineData(501), InlineData(502), InlineData(503), InlineData(504), InlineData(507), InlineData(599), InlineData(408), InlineData(429)]
    public async Task Outcome_FailureStatus_OpensTheCircuitAndIsReturned(int status)
    {
        await using var bench = await OutboundBench.StartAsync(Once);
        bench.Upstream.Default.Replies(ScriptedReply.Status(status));

        (await bench.StatusAsync()).ShouldBe(status);
        (await bench.StatusAsync()).ShouldBe(status);
        var refused = await bench.RefusedAsync();

        refused.Refusal.Reason.ShouldBe(RefusalReason.CircuitOpen);
        refused.Refusal.RetryAfter!.Value.ShouldBeInRange(TimeSpan.FromSeconds(50), TimeSpan.FromSeconds(67));
        bench.Upstream.RequestCount.ShouldBe(2);
    }

    [Theory]
    [InlineData(200), InlineData(204), InlineData(304), InlineData(400), InlineData(401), InlineData(403), InlineData(404), InlineData(405), InlineData(409), InlineData(410), InlineData(412), InlineData(422), InlineData(499)]
    public async Task Outcome_OtherStatus_Succeeds(int status)
    {
        await using var bench = await OutboundBench.StartAsync("""{ "CircuitBreaker": { "ConsecutiveFailures": 1, "BreakDuration": "00:01:00" } }""");
        bench.Upstream.Default.Replies(ScriptedReply.Status(status));

        for (var call = 0; call < 5; call++)
        {
            (await bench.StatusAsync()).ShouldBe(status);
        }

        bench.Upstream.RequestCount.ShouldBe(5);
    }

    [Theory]
    [InlineData("reset"), InlineData("garbage"), InlineData("truncated")]
    public async Task Outcome_TransportError_OpensTheCircuit(string what)
    {
        await using var bench = await OutboundBench.StartAsync(Once);
        bench.Upstream.Default.Replies(what switch
        {
            "reset" => ScriptedReply.Reset(),
            "garbage" => ScriptedReply.Garbage(),
            _ => ScriptedReply.Text("0123456789").TruncatedAfter(3),
        });

        for (var call = 0; call < 2; call++)
        {
            (await Should.ThrowAsync<HttpRequestException>(() => bench.StatusAsync())).ShouldNotBeOfType<OutboundRefusedException>();
        }

        (await bench.RefusedAsync()).Refusal.Reason.ShouldBe(RefusalReason.CircuitOpen);
    }

    [Fact]
    public async Task Outcome_ConnectionRefused_OpensTheCircuit()
    {
        await using var bench = await OutboundBench.StartAsync(Once);
        var nowhere = OutboundBench.Nowhere();
        for (var call = 0; call < 2; call++)
        {
            (await Should.ThrowAsync<HttpRequestException>(() => bench.Client.GetAsync(nowhere))).HttpRequestError.ShouldBe(HttpRequestError.ConnectionError);
        }

        (await Should.ThrowAsync<OutboundRefusedException>(() => bench.Client.GetAsync(nowhere))).Refusal.Reason.ShouldBe(RefusalReason.CircuitOpen);
        bench.Upstream.Default.Replies(ScriptedReply.Status(200));
        (await bench.StatusAsync()).ShouldBe(200, "Another authority has another circuit.");
    }

    [Fact]
    public async Task Outcome_ConnectTimeout_IsAFailureThatIsMadeAgainAndOpensTheCircuit()
    {
        var connects = 0;
        await using var bench = await OutboundBench.StartAsync(
            """{ "ConnectTimeout": "00:00:00.200", "Retry": { "MaxAttempts": 2, "Delay": "00:00:00" }, "CircuitBreaker": { "ConsecutiveFailures": 2, "BreakDuration": "00:01:00" } }""",
            configure: pricing => pricing.ConfigurePrimaryHttpMessageHandler(() => new SocketsHttpHandler
            {
                ConnectCallback = async (_, cancellationToken) =>
                {
                    Interlocked.Increment(ref connects);
                    await new TaskCompletionSource().Task.WaitAsync(cancellationToken);
                    return Stream.Null;
                },
            }));
        var watch = Stopwatch.StartNew();

        var error = await Should.ThrowAsync<Exception>(() => bench.StatusAsync());

        watch.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(8));
        connects.ShouldBeGreaterThanOrEqualTo(2);
        (await bench.RefusedAsync()).Refusal.Reason.ShouldBe(RefusalReason.CircuitOpen);
        error.ShouldNotBeOfType<OutboundRefusedException>();
    }

    [Fact]
    public async Task Outcome_AttemptTimeout_IsAFailureThatIsMadeAgainAndOpensTheCircuit()
    {
        await using var bench = await OutboundBench.StartAsync(
            """{ "AttemptTimeout": "00:00:00.200", "Retry": { "MaxAttempts": 2, "Delay": "00:00:00" }, "CircuitBreaker": { "ConsecutiveFailures": 2, "BreakDuration": "00:01:00" } }""");
        bench.Upstream.Default.Replies(ScriptedReply.Hang());

        var refused = await bench.RefusedAsync();

        refused.Refusal.Reason.ShouldBe(RefusalReason.Timeout);
        bench.Upstream.RequestCount.ShouldBe(2);
        (await bench.RefusedAsync()).Refusal.Reason.ShouldBe(RefusalReason.CircuitOpen);
        foreach (var request in bench.Upstream.Requests)
        {
            (await request.Ended).ShouldBe(ScriptedEnd.ClientGone);
        }
    }

    [Fact]
    public async Task Outcome_AttemptTimeoutThenGood_IsAnswered()
    {
        await using var bench = await OutboundBench.StartAsync("""{ "AttemptTimeout": "00:00:00.300", "Retry": { "Delay": "00:00:00" } }""");
        bench.Upstream.Default.Replies(ScriptedReply.Hang(), ScriptedReply.Status(200));

        (await bench.StatusAsync()).ShouldBe(200);
    }

    [Fact]
    public async Task Outcome_ConnectTimeout_ThroughRecovery_Is504AndLoggedWithItsCause()
    {
        await using var bench = await OutboundBench.StartAsync(
            """{ "ConnectTimeout": "00:00:00.200", "Retry": { "MaxAttempts": 1 } }""",
            configure: pricing => pricing.ConfigurePrimaryHttpMessageHandler(() => new SocketsHttpHandler
            {
                ConnectCallback = async (_, cancellationToken) =>
                {
                    await Task.Delay(Timeout.Infinite, cancellationToken);
                    return Stream.Null;
                },
            }),
            endpoints: app => app.MapGet("/checkout", async (IHttpClientFactory clients) => await clients.CreateClient("pricing").GetStringAsync("/price")));

        using var response = await bench.Service.GetAsync("/checkout");

        response.StatusCode.ShouldBe(HttpStatusCode.GatewayTimeout);
        var logged = bench.Service.Logs.Entries.Last(entry => entry.Exception is not null).Exception.ShouldBeAssignableTo<OperationCanceledException>();
        logged!.InnerException.ShouldBeOfType<TimeoutException>();
        logged.StackTrace.ShouldNotBeNullOrEmpty();
    }

    [Fact]
    public async Task Outcome_CallerCancels_IsIgnoredAndIsTheCallersOwnCancellation()
    {
        await using var bench = await OutboundBench.StartAsync("""{ "CircuitBreaker": { "ConsecutiveFailures": 1, "BreakDuration": "00:01:00" } }""");
        bench.Upstream.Default.Replies(ScriptedReply.Hang());
        for (var call = 1; call <= 3; call++)
        {
            using var caller = new CancellationTokenSource();
            var sending = bench.Client.GetAsync("/price", caller.Token);
            await bench.Upstream.WaitForRequestsAsync(call);
            await caller.CancelAsync();
            (await Should.ThrowAsync<OperationCanceledException>(sending)).CancellationToken.ShouldBe(caller.Token);
        }

        bench.Upstream.Default.Replies(ScriptedReply.Status(200));
        (await bench.StatusAsync()).ShouldBe(200);
        bench.Upstream.RequestCount.ShouldBe(4, "What the caller cancelled is not made again.");
    }

    [Fact]
    public async Task Outcome_CallerCancelsDuringTheWaitForARetry_LeavesAtOnce()
    {
        await using var bench = await OutboundBench.StartAsync("""{ "Retry": { "Delay": "00:00:20", "MaxDelay": "00:00:20", "Jitter": 0 } }""");
        bench.Upstream.Default.Replies(ScriptedReply.Status(503));
        using var caller = new CancellationTokenSource();
        var watch = Stopwatch.StartNew();
        var sending = bench.Client.GetAsync("/price", caller.Token);
        await bench.Upstream.WaitForRequestsAsync(1);
        await (await Task.WhenAny(bench.Upstream.Requests[0].Ended));
        await caller.CancelAsync();

        (await Should.ThrowAsync<OperationCanceledException>(sending)).CancellationToken.ShouldBe(caller.Token);
        watch.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task Outcome_BulkheadRefusals_AreNeitherCountedNorMadeAgain()
    {
        await using var bench = await OutboundBench.StartAsync("""{ "Bulkhead": { "MaxConcurrency": 1 }, "CircuitBreaker": { "ConsecutiveFailures": 1, "BreakDuration": "00:01:00" } }""");
        bench.Upstream.Default.Replies(ScriptedReply.Status(200).WhenReleased());
        var held = bench.StatusAsync();
        await bench.Upstream.WaitForRequestsAsync(1);
        for (var call = 0; call < 20; call++)
        {
            var refused = await bench.RefusedAsync();
            refused.Refusal.Reason.ShouldBe(RefusalReason.BulkheadFull);
            refused.Refusal.Source.ShouldBe("http:pricing");
        }

        bench.Upstream.Release();
        (await held).ShouldBe(200);
        bench.Upstream.Default.Replies(ScriptedReply.Status(200));
        (await bench.StatusAsync()).ShouldBe(200);
        bench.Upstream.RequestCount.ShouldBe(2);
    }

    [Fact]
    public async Task Refusal_OfTheCircuit_PassesThroughRecoveryAndDoesNotCountAgainstTheEndpoint()
    {
        await using var bench = await OutboundBench.StartAsync(
            """{ "Retry": { "MaxAttempts": 1 }, "CircuitBreaker": { "ConsecutiveFailures": 1, "BreakDuration": "00:01:00" } }""",
            """, "CircuitBreakers": { "checkout": { "ConsecutiveFailures": 2, "BreakDuration": "00:01:00" } }""",
            endpoints: app => app.MapGet("/checkout", async (IHttpClientFactory clients) => await clients.CreateClient("pricing").GetStringAsync("/price")).WithCircuitBreaker("checkout"));
        bench.Upstream.Default.Replies(ScriptedReply.Status(500));
        (await bench.StatusAsync()).ShouldBe(500);

        for (var call = 0; call < 5; call++)
        {
            using var response = await bench.Service.GetAsync("/checkout");
            (await response.ShouldBeRefusalAsync(503, "circuit_open")).ShouldBeInRange(50, 67);
        }

        (await bench.Service.StateOfAsync("checkout")).ShouldBe("CLOSED");
        bench.Service.ShouldHaveLoggedNoError();
    }

    [Fact]
    public async Task Refusal_OfTheBulkhead_PassesThroughRecovery()
    {
        await using var bench = await OutboundBench.StartAsync(
            """{ "Bulkhead": { "MaxConcurrency": 1 } }""",
            endpoints: app => app.MapGet("/checkout", async (IHttpClientFactory clients) => await clients.CreateClient("pricing").GetStringAsync("/price")));
        bench.Upstream.Default.Replies(ScriptedReply.Status(200).WhenReleased());
        var held = bench.StatusAsync();
        await bench.Upstream.WaitForRequestsAsync(1);

        using var response = await bench.Service.GetAsync("/checkout");

        await response.ShouldBeRefusalAsync(503, "bulkhead_full");
        bench.Upstream.Release();
        await held;
    }

    [Fact]
    public async Task Order_BulkheadIsPerAttemptNotPerCall()
    {
        await using var bench = await OutboundBench.StartAsync("""{ "Bulkhead": { "MaxConcurrency": 1 }, "Retry": { "MaxAttempts": 2, "Delay": "00:00:02", "Jitter": 0 } }""");
        bench.Upstream.Default.Replies(ScriptedReply.Status(503), ScriptedReply.Status(200), ScriptedReply.Status(200));
        var waiting = bench.StatusAsync();
        await bench.Upstream.WaitForRequestsAsync(1);
        await bench.Upstream.Requests[0].Ended;

        await TestService.EventuallyAsync(
            async () =>
            {
                try
                {
                    return await bench.StatusAsync() == 200;
                }
                catch (OutboundRefusedException)
                {
                    return false;
                }
            },
            "a call while the other waits for its retry");
        waiting.IsCompleted.ShouldBeFalse();
        (await waiting).ShouldBe(200);
    }

    [Fact]
    public async Task Order_EachAttemptIsRecordedByTheCircuit()
    {
        await using var bench = await OutboundBench.StartAsync("""{ "Retry": { "MaxAttempts": 3, "Delay": "00:00:00" }, "CircuitBreaker": { "ConsecutiveFailures": 3, "BreakDuration": "00:01:00" } }""");
        bench.Upstream.Default.Replies(ScriptedReply.Status(503));

        (await bench.StatusAsync()).ShouldBe(503);

        (await bench.RefusedAsync()).Refusal.Reason.ShouldBe(RefusalReason.CircuitOpen);
    }

    [Fact]
    public async Task Order_CircuitOpensBetweenAttempts_TheAnswerInHandIsReturned()
    {
        await using var bench = await OutboundBench.StartAsync("""{ "Retry": { "MaxAttempts": 5, "Delay": "00:00:00.010" }, "CircuitBreaker": { "ConsecutiveFailures": 2, "BreakDuration": "00:01:00" } }""");
        bench.Upstream.Default.Replies(ScriptedReply.Text("down", 503));

        using var response = await bench.SendAsync();

        (await response.Content.ReadAsStringAsync()).ShouldBe("down");
        bench.Upstream.RequestCount.ShouldBe(2);
    }

    [Fact]
    public async Task Authority_IsSchemeHostAndPort_WithoutRegardToCaseAndUserInfo()
    {
        await using var bench = await OutboundBench.StartAsync(Once, configure: pricing => pricing.AddHttpMessageHandler(() => new Stub(static _ => new HttpResponseMessage(HttpStatusCode.InternalServerError))));
        await bench.Client.GetAsync("http://Prices.Example/a");
        await bench.Client.GetAsync("http://user:secret@prices.example:80/b?c=d");

        await Should.ThrowAsync<OutboundRefusedException>(() => bench.Client.GetAsync("http://prices.EXAMPLE/c"));
        foreach (var other in new[] { "https://prices.example/", "http://prices.example:81/", "http://other.example/" })
        {
            using var response = await bench.Client.GetAsync(other);
            response.StatusCode.ShouldBe(HttpStatusCode.InternalServerError, other);
        }

        (await bench.Service.StatusAsync()).GetRawText().ShouldNotContain("secret");
    }

    [Fact]
    public async Task Authorities_TenThousandAndMore_AreBoundedEverywhere()
    {
        await using var bench = await OutboundBench.StartAsync(
            """{ "CircuitBreaker": { "MaxPartitions": 1000 } }""", configure: pricing => pricing.AddHttpMessageHandler(() => new Stub(static _ => new HttpResponseMessage(HttpStatusCode.OK))));
        var client = bench.Client;
        for (var host = 0; host < 11_000; host++)
        {
            using var response = await client.GetAsync($"http://host-{host}.example/");
            response.StatusCode.ShouldBe(HttpStatusCode.OK);
        }

        var status = await bench.Service.StatusAsync();
        status.GetRawText().Length.ShouldBeLessThan(2_000_000);
        bench.Service.Metrics.RecordObservableInstruments();
        bench.Service.Metrics.Measurements.Where(measurement => measurement.Instrument.StartsWith("resilient_host.", StringComparison.Ordinal))
            .Select(measurement => $"{measurement.Instrument} {string.Join(',', measurement.Tags.Select(tag => $"{tag.Key}={tag.Value}"))}")
            .Distinct().Count().ShouldBeLessThan(5_000);
        TestContext.Current.TestOutputHelper?.WriteLine($"{status.GetRawText().Length} characters of status");
    }

    [Theory]
    [InlineData(ScriptedCertificate.Expired, "expired")]
    [InlineData(ScriptedCertificate.WrongHost, "it is for")]
    [InlineData(ScriptedCertificate.SelfSigned, "not trusted")]
    public async Task Certificate_Bad_IsExplainedAndOpensTheCircuitAtOnce(ScriptedCertificate certificate, string text)
    {
        await using var upstream = await ScriptedServer.StartAsync(new ScriptedServerOptions { Certificate = certificate });
        upstream.Default.Replies(ScriptedReply.Status(200));
        await using var bench = await OutboundBench.StartAsync(configure: pricing => pricing.ConfigurePrimaryHttpMessageHandler(upstream.CreateHandler));

        var error = await Should.ThrowAsync<HttpRequestException>(() => bench.Client.GetAsync(upstream.Address));

        error.HttpRequestError.ShouldBe(HttpRequestError.SecureConnectionError);
        error.Message.ShouldContain(text);
        (await Should.ThrowAsync<OutboundRefusedException>(() => bench.Client.GetAsync(upstream.Address))).Refusal.RetryAfter!.Value.ShouldBeGreaterThan(TimeSpan.FromSeconds(20));
        upstream.RequestCount.ShouldBe(0);
    }
}
