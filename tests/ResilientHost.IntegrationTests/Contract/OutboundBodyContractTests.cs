using System.Diagnostics;
using System.Net.Http.Json;
using System.Text;

namespace ResilientHost.IntegrationTests.Contract;

/// <summary>Outbound calls: what happens around the attempts, to bodies, registrations, traces and what goes on when a request is over.</summary>
public sealed class OutboundBodyContractTests
{
    private const string Quick = """{ "Retry": { "Delay": "00:00:00.010" } }""";

    [Fact]
    public async Task Body_SlowButComing_OutlivesTheTimeoutsOfItsCall()
    {
        await using var bench = await OutboundBench.StartAsync("""{ "TotalTimeout": "00:00:00.600", "AttemptTimeout": "00:00:00.500", "ReadAheadBytes": 0 }""");
        bench.Upstream.Default.Replies(ScriptedReply.Text(new string('x', 2_000)).InChunks(200, TimeSpan.FromMilliseconds(150)));

        using var response = await bench.Client.GetAsync("/price", HttpCompletionOption.ResponseHeadersRead);

        (await response.Content.ReadAsStringAsync()).Length.ShouldBe(2_000);
    }

    [Fact]
    public async Task Body_OfAHedgedWinner_IsReadToItsEnd()
    {
        await using var bench = await OutboundBench.StartAsync("""{ "Hedging": { "Delay": "00:00:00.100" }, "ReadAheadBytes": 0, "AttemptTimeout": "00:00:00.700" }""");
        bench.Upstream.Default.Replies(ScriptedReply.Hang(), ScriptedReply.Text(new string('x', 2_000)).InChunks(200, TimeSpan.FromMilliseconds(150)));

        using var response = await bench.Client.GetAsync("/price", HttpCompletionOption.ResponseHeadersRead);

        (await response.Content.ReadAsStringAsync()).Length.ShouldBe(2_000);
        (await bench.Upstream.Requests[0].Ended.WaitAsync(TestService.Patience)).ShouldBe(ScriptedEnd.ClientGone);
    }

    [Fact]
    public async Task Body_ThatStalls_IsGivenUp()
    {
        await using var bench = await OutboundBench.StartAsync("""{ "AttemptTimeout": "00:00:00.500", "Retry": { "MaxAttempts": 1 }, "ReadAheadBytes": 0 }""");
        bench.Upstream.Default.Replies(ScriptedReply.Text("0123456789").InChunks(2, TimeSpan.FromHours(1)));
        var watch = Stopwatch.StartNew();

        await Should.ThrowAsync<HttpRequestException>(() => bench.Client.GetStringAsync("/price"));

        watch.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task Body_CallerCancelsWhileReading_IsTheCallersOwn()
    {
        await using var bench = await OutboundBench.StartAsync("""{ "ReadAheadBytes": 0, "CircuitBreaker": { "ConsecutiveFailures": 1, "BreakDuration": "00:01:00" } }""");
        bench.Upstream.Default.Replies(ScriptedReply.Text("0123456789").InChunks(2, TimeSpan.FromHours(1)), ScriptedReply.Status(200));
        using var caller = new CancellationTokenSource();
        using (var response = await bench.Client.GetAsync("/price", HttpCompletionOption.ResponseHeadersRead, caller.Token))
        {
            var reading = response.Content.ReadAsStringAsync(caller.Token);
            await caller.CancelAsync();
            await Should.ThrowAsync<OperationCanceledException>(reading);
        }

        (await bench.StatusAsync()).ShouldBe(200);
    }

    [Fact]
    public async Task Body_EventStream_MayPauseForAsLongAsItLikes()
    {
        await using var bench = await OutboundBench.StartAsync("""{ "TotalTimeout": "00:00:00.500", "AttemptTimeout": "00:00:00.300", "ReadAheadBytes": 0 }""");
        bench.Upstream.Default.Replies(ScriptedReply.Text("data: 1\n\n", contentType: "text/event-stream").InChunks(5, TimeSpan.FromSeconds(2)));

        using var response = await bench.Client.GetAsync("/price", HttpCompletionOption.ResponseHeadersRead);

        (await response.Content.ReadAsStringAsync()).ShouldBe("data: 1\n\n");
    }

    [Fact]
    public async Task Body_OfHead_IsNotMissed()
    {
        await using var bench = await OutboundBench.StartAsync();
        bench.Upstream.Default.Replies(ScriptedReply.Text("0123456789"));

        using var response = await bench.SendAsync(HttpMethod.Head);

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        bench.Upstream.RequestCount.ShouldBe(1);
    }

    [Fact]
    public async Task Contents_OfEveryKind_AreSentAgain()
    {
        await using var bench = await OutboundBench.StartAsync("""{ "Retry": { "Delay": "00:00:00", "BudgetFloor": 100 } }""");
        using var stream = new MemoryStream(Encoding.UTF8.GetBytes("stream"));
        HttpContent[] contents =
        [
            JsonContent.Create(new { A = 1 }), new FormUrlEncodedContent([new("a", "b")]), new StreamContent(stream), new ByteArrayContent([1, 2, 3]), new ReadOnlyMemoryContent(new byte[] { 4, 5 }),
            new MultipartFormDataContent("edge") { { new StringContent("part"), "name" } },
        ];
        foreach (var content in contents)
        {
            var before = (int)bench.Upstream.RequestCount;
            bench.Upstream.Default.Replies(ScriptedReply.Status(503), ScriptedReply.Status(200));
            (await bench.StatusAsync(HttpMethod.Put, content: content)).ShouldBe(200, content.GetType().Name);
            var requests = bench.Upstream.Requests.Skip(before).ToArray();
            requests.Length.ShouldBe(2);
            requests[1].Body.ToArray().ShouldBe(requests[0].Body.ToArray(), content.GetType().Name);
            requests[0].Body.Length.ShouldBeGreaterThan(0);
            requests[1].Headers.GetValueOrDefault("Content-Type").ShouldBe(requests[0].Headers.GetValueOrDefault("Content-Type"));
        }
    }

    [Fact]
    public async Task IdempotencyKey_Empty_IsNone()
    {
        await using var bench = await OutboundBench.StartAsync(Quick);
        bench.Upstream.Default.Replies(ScriptedReply.Status(503));

        await bench.StatusAsync(HttpMethod.Post, headers: [("Idempotency-Key", "")]);

        bench.Upstream.RequestCount.ShouldBe(1);
    }

    [Fact]
    public async Task RetryAfter_LengthensTheBreakWithinItsCap()
    {
        await using var bench = await OutboundBench.StartAsync("""{ "Retry": { "MaxAttempts": 1 }, "CircuitBreaker": { "ConsecutiveFailures": 1, "BreakDuration": "00:00:02", "MaxBreakDuration": "00:01:00" } }""");
        bench.Upstream.Default.Replies(ScriptedReply.Status(503).WithHeader("Retry-After", "30"));
        await bench.StatusAsync();

        (await bench.RefusedAsync()).Refusal.RetryAfter!.Value.ShouldBeInRange(TimeSpan.FromSeconds(25), TimeSpan.FromSeconds(30));
    }

    [Fact]
    public async Task KillSwitch_TheClientsOwnTimeoutHolds()
    {
        await using var bench = await OutboundBench.StartAsync("""{ "Enabled": false }""", configure: pricing => pricing.ConfigureHttpClient(http => http.Timeout = TimeSpan.FromMilliseconds(300)));
        bench.Upstream.Default.Replies(ScriptedReply.Hang());

        // Not by Should.ThrowAsync, which makes a cancellation of its own.
        Exception? error = null;
        try
        {
            await bench.StatusAsync();
        }
        catch (OperationCanceledException cancelled)
        {
            error = cancelled;
        }

        error.ShouldBeOfType<TaskCanceledException>().InnerException.ShouldBeOfType<TimeoutException>();
    }

    [Fact]
    public async Task Registration_OfAllClientsTypedNamedAndTwice()
    {
        await using var upstream = await ScriptedServer.StartAsync();
        upstream.Default.Replies(ScriptedReply.Status(503));
        await using var service = await TestService.StartAsync(new TestServiceSetup
        {
            Configuration = """{ "HttpClients": { "Default": { "Retry": { "Delay": "00:00:00" } } } }""",
            Builder = builder =>
            {
                builder.Services.ConfigureHttpClientDefaults(defaults => defaults.AddResilienceLayers());
                builder.Services.AddHttpClient("plain");
                builder.Services.AddHttpClient("twice").AddResilienceLayers().AddResilienceLayers();
                builder.Services.AddHttpClient<PricingClient>(http => http.BaseAddress = upstream.Address).AddResilienceLayers("pricing");
            },
        });
        var factory = service.Services.GetRequiredService<IHttpClientFactory>();
        foreach (var name in new[] { "plain", "twice", "" })
        {
            var before = upstream.RequestCount;
            using var response = await factory.CreateClient(name).GetAsync(upstream.Address);
            (upstream.RequestCount - before).ShouldBe(3, name);
        }

        (await service.Services.GetRequiredService<PricingClient>().GetAsync()).ShouldBe(503);
        upstream.RequestCount.ShouldBe(12);
    }

    [Fact]
    public async Task Bulkhead_OfOneAuthority_IsNotAnothers()
    {
        await using var bench = await OutboundBench.StartAsync("""{ "Bulkhead": { "MaxConcurrency": 1 } }""");
        await using var other = await ScriptedServer.StartAsync();
        other.Default.Replies(ScriptedReply.Status(200));
        bench.Upstream.Default.Replies(ScriptedReply.Status(200).WhenReleased());
        var held = bench.StatusAsync();
        await bench.Upstream.WaitForRequestsAsync(1);

        using var response = await bench.Client.GetAsync(other.Address);

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        bench.Upstream.Release();
        await held;
    }

    [Fact]
    public async Task Traces_EachAttemptIsASpanAndTellsItsOwn()
    {
        using var spans = new ActivityRecorder(ResilienceDiagnostics.ActivitySourceName);
        await using var bench = await OutboundBench.StartAsync(Quick);
        bench.Upstream.Default.Replies(ScriptedReply.Status(503), ScriptedReply.Status(200));
        using var parent = new Activity("caller").Start();

        await bench.StatusAsync();

        parent.Stop();
        var attempts = spans.Finished.Where(span => span.ParentSpanId == parent.SpanId).ToArray();
        attempts.Length.ShouldBe(2);
        var told = bench.Upstream.Requests.Select(request => request.Headers["traceparent"].ToString()).ToArray();
        told.Distinct().Count().ShouldBe(2);
        told.ShouldAllBe(value => value.Contains(parent.TraceId.ToHexString(), StringComparison.Ordinal));
        TestContext.Current.TestOutputHelper?.WriteLine(string.Join('\n', attempts.Select(span => $"{span.OperationName} {span.DisplayName} {string.Join(',', span.TagObjects.Select(tag => $"{tag.Key}={tag.Value}"))}")));
    }

    [Fact]
    public async Task AfterTheRequest_ItsDeadlineBindsNothingAnyMore()
    {
        Task<int>? late = null;
        await using var bench = await OutboundBench.StartWithAsync(
            """{ "TrustedCallers": { "Networks": [ "127.0.0.0/8" ] } }""",
            endpoints: app => app.MapGet("/", (IHttpClientFactory clients) =>
            {
                late = Task.Run(async () =>
                {
                    using var pace = new PeriodicTimer(TimeSpan.FromMilliseconds(900));
                    await pace.WaitForNextTickAsync(CancellationToken.None);
                    using var response = await clients.CreateClient("pricing").GetAsync("/price");
                    return (int)response.StatusCode;
                });
                return "started";
            }));
        bench.Upstream.Default.Replies(ScriptedReply.Status(200));
        using var request = new HttpRequestMessage(HttpMethod.Get, "/");
        request.Headers.Add("Resilience-Deadline", "500");

        using var response = await bench.Service.SendAsync(request);

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        (await late!).ShouldBe(200);
    }

    [Fact]
    public async Task Refusal_ReachesTheEndpointsFallback()
    {
        Refusal? refusal = null;
        await using var bench = await OutboundBench.StartAsync(
            """{ "Retry": { "MaxAttempts": 1 }, "CircuitBreaker": { "ConsecutiveFailures": 1, "BreakDuration": "00:01:00" } }""",
            endpoints: app => app.MapGet("/", async (IHttpClientFactory clients) => await clients.CreateClient("pricing").GetStringAsync("/price")).WithFallback((FallbackContext context) =>
            {
                refusal = context.Refusal;
                return "fallback";
            }));
        bench.Upstream.Default.Replies(ScriptedReply.Status(500));
        await bench.StatusAsync();

        (await bench.Service.Client().GetStringAsync("/")).ShouldBe("fallback");

        refusal.ShouldNotBeNull().Reason.ShouldBe(RefusalReason.CircuitOpen);
    }

    [Fact]
    public async Task Redirect_ToAnotherAuthority_IsJudgedByTheFirst()
    {
        await using var bench = await OutboundBench.StartAsync("""{ "Retry": { "MaxAttempts": 1 }, "CircuitBreaker": { "ConsecutiveFailures": 1, "BreakDuration": "00:01:00" } }""");
        await using var other = await ScriptedServer.StartAsync();
        other.Default.Replies(ScriptedReply.Status(200));
        bench.Upstream.Default.Replies(ScriptedReply.Status(302).WithHeader("Location", other.Address.ToString()));

        (await bench.StatusAsync()).ShouldBe(200);
        other.RequestCount.ShouldBe(1);
    }

    [Fact]
    public async Task Concurrency_ManyCallsAtOnce_NothingIsHeldAfterwards()
    {
        await using var bench = await OutboundBench.StartAsync("""{ "AttemptTimeout": "00:00:00.400", "Retry": { "Delay": "00:00:00.005" }, "Bulkhead": { "MaxConcurrency": 20 }, "CircuitBreaker": { "Mode": "Disabled" } }""");
        bench.Upstream.Default.RepliesInCycle(ScriptedReply.Status(200), ScriptedReply.Status(503), ScriptedReply.Reset(), ScriptedReply.Hang(), ScriptedReply.Text("0123456789").TruncatedAfter(2), ScriptedReply.Status(404));
        await Parallel.ForEachAsync(Enumerable.Range(0, 600), new ParallelOptions { MaxDegreeOfParallelism = 30 }, async (_, _) =>
        {
            try
            {
                await bench.StatusAsync();
            }
            catch (HttpRequestException)
            {
                // A failure of the script's, or a refusal.
            }
        });

        var authority = (await bench.Service.StatusAsync()).GetProperty("httpClients")[0].GetProperty("authorities")[0];
        authority.GetProperty("inFlight").GetInt32().ShouldBe(0);
        authority.GetProperty("queued").GetInt32().ShouldBe(0);
        await TestService.EventuallyAsync(() => Task.FromResult(bench.Upstream.InFlight == 0), "the upstream has nothing left to answer");
    }

    private sealed class PricingClient(HttpClient http)
    {
        public async Task<int> GetAsync()
        {
            using var response = await http.GetAsync("/price");
            return (int)response.StatusCode;
        }
    }
}
