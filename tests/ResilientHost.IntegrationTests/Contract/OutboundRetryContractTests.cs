using System.Diagnostics;
using System.Text;

namespace ResilientHost.IntegrationTests.Contract;

/// <summary>Outbound calls: Retry-After, what is made again and how, the budget.</summary>
public sealed class OutboundRetryContractTests
{
    private const string Quick = """{ "Retry": { "Delay": "00:00:00.010" } }""";

    [Theory]
    [InlineData("1")]
    [InlineData("date")]
    public async Task RetryAfter_IsWaitedFor(string value)
    {
        await using var bench = await OutboundBench.StartAsync(Quick);
        var header = value == "date" ? DateTimeOffset.UtcNow.AddSeconds(3).ToString("R") : value;
        bench.Upstream.Default.Replies(ScriptedReply.Status(503).WithHeader("Retry-After", header), ScriptedReply.Status(200));

        (await bench.StatusAsync()).ShouldBe(200);

        var requests = bench.Upstream.Requests;
        (requests[1].ReceivedAt - requests[0].ReceivedAt).ShouldBeInRange(TimeSpan.FromSeconds(0.95), TimeSpan.FromSeconds(4));
    }

    [Theory]
    [InlineData("abc"), InlineData("-5"), InlineData("1e309"), InlineData("NaN"), InlineData("1.5"), InlineData("0"), InlineData("Thu, 01 Jan 1970 00:00:00 GMT"), InlineData("Fri, 99 Foo 2099 00:00:00 GMT")]
    public async Task RetryAfter_Invalid_IsAsIfThereWereNone(string value)
    {
        await using var bench = await OutboundBench.StartAsync(Quick);
        bench.Upstream.Default.Replies(ScriptedReply.Status(503).WithHeader("Retry-After", value), ScriptedReply.Status(200));
        var watch = Stopwatch.StartNew();

        (await bench.StatusAsync()).ShouldBe(200);

        watch.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(5));
    }

    [Theory]
    [InlineData("86400"), InlineData("2147483647"), InlineData("99999999999999999999"), InlineData("Fri, 31 Dec 9999 23:59:59 GMT")]
    public async Task RetryAfter_Huge_IsCapped(string value)
    {
        await using var bench = await OutboundBench.StartAsync("""{ "Retry": { "Delay": "00:00:00.010", "MaxRetryAfter": "00:00:00.500" } }""");
        bench.Upstream.Default.Replies(ScriptedReply.Status(429).WithHeader("Retry-After", value), ScriptedReply.Status(200));

        (await bench.StatusAsync()).ShouldBe(200);

        var requests = bench.Upstream.Requests;
        (requests[1].ReceivedAt - requests[0].ReceivedAt).ShouldBeInRange(TimeSpan.FromSeconds(0.45), TimeSpan.FromSeconds(5));
    }

    [Theory]
    [InlineData("5"), InlineData("86400"), InlineData("99999999999999999999")]
    public async Task RetryAfter_BeyondTheTimeLeft_ReturnsTheAnswerInHandAtOnce(string value)
    {
        await using var bench = await OutboundBench.StartAsync("""{ "TotalTimeout": "00:00:04", "Retry": { "Delay": "00:00:00.010" } }""");
        bench.Upstream.Default.Replies(ScriptedReply.Text("sorry", 503).WithHeader("Retry-After", value), ScriptedReply.Status(200));
        var watch = Stopwatch.StartNew();

        using var response = await bench.SendAsync();

        response.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        (await response.Content.ReadAsStringAsync()).ShouldBe("sorry");
        watch.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(3));
        bench.Upstream.RequestCount.ShouldBe(1);
    }

    [Theory]
    [InlineData("GET", 3), InlineData("HEAD", 3), InlineData("OPTIONS", 3), InlineData("TRACE", 3), InlineData("PUT", 3), InlineData("DELETE", 3)]
    [InlineData("POST", 1), InlineData("PATCH", 1), InlineData("MERGE", 1)]
    public async Task Retry_ByMethod(string method, int attempts)
    {
        await using var bench = await OutboundBench.StartAsync(Quick);
        bench.Upstream.Default.Replies(ScriptedReply.Status(503));

        (await bench.StatusAsync(new HttpMethod(method))).ShouldBe(503);

        bench.Upstream.RequestCount.ShouldBe(attempts);
    }

    [Theory]
    [InlineData("timeout"), InlineData("reset"), InlineData("connect")]
    public async Task Retry_PostWithoutAnAnswer_IsMadeOnce(string what)
    {
        await using var bench = await OutboundBench.StartAsync("""{ "AttemptTimeout": "00:00:00.300", "Retry": { "Delay": "00:00:00.010" } }""");
        bench.Upstream.Default.Replies(what == "timeout" ? ScriptedReply.Hang() : ScriptedReply.Reset());

        using var content = new StringContent("one");
        await Should.ThrowAsync<HttpRequestException>(() => bench.Client.PostAsync(what == "connect" ? OutboundBench.Nowhere() : new Uri(bench.Upstream.Address, "/price"), content));

        bench.Upstream.RequestCount.ShouldBe(what == "connect" ? 0 : 1);
        bench.Service.Metrics.Sum(ResilienceDiagnostics.Instruments.OutboundAttempts).ShouldBe(1);
    }

    [Fact]
    public async Task Retry_PostWithIdempotencyKey_KeepsHeadersAndBody()
    {
        await using var bench = await OutboundBench.StartAsync(Quick);
        bench.Upstream.Default.Replies(ScriptedReply.Status(503), ScriptedReply.Reset(), ScriptedReply.Status(201));

        using var content = new StringContent("""{"a":1}""", Encoding.UTF8, "application/json");
        content.Headers.ContentLanguage.Add("de");
        (await bench.StatusAsync(HttpMethod.Post, content: content, headers: [("Idempotency-Key", "k-1"), ("X-Multi", "a"), ("X-Multi", "b"), ("Authorization", "Bearer t")])).ShouldBe(201);

        var requests = bench.Upstream.Requests;
        requests.Count.ShouldBe(3);
        requests.ShouldAllBe(request => request.Method == "POST" && request.BodyText == """{"a":1}""");
        requests.ShouldAllBe(request => request.Headers["Idempotency-Key"] == "k-1" && request.Headers["Authorization"] == "Bearer t" && request.Headers["Content-Language"] == "de");
        requests.ShouldAllBe(request => request.Headers["X-Multi"].ToString().Replace(" ", "") == "a,b");
        requests.ShouldAllBe(request => request.Headers["Content-Type"] == "application/json; charset=utf-8");
        requests.Select(request => request.Headers.TryGetValue("Resilience-Attempt", out var attempt) ? attempt.ToString() : "").ShouldBe(["", "2", "3"]);
    }

    [Fact]
    public async Task Retry_PostByOptIn_OfConfigurationAndOfTheRequest()
    {
        await using var bench = await OutboundBench.StartAsync("""{ "Retry": { "Delay": "00:00:00", "NonIdempotent": true } }""");
        bench.Upstream.Default.Replies(ScriptedReply.Status(503));

        (await bench.StatusAsync(HttpMethod.Post)).ShouldBe(503);
        bench.Upstream.RequestCount.ShouldBe(3);
        (await bench.StatusAsync(HttpMethod.Post, new RequestResilience { IsIdempotent = false })).ShouldBe(503);
        bench.Upstream.RequestCount.ShouldBe(4);
        bench.Reload("""{ "Retry": { "Delay": "00:00:00" } }""");
        await TestService.EventuallyAsync(
            async () =>
            {
                var before = bench.Upstream.RequestCount;
                await bench.StatusAsync(HttpMethod.Post, new RequestResilience { MaxAttempts = 2 });
                return bench.Upstream.RequestCount == before + 1;
            },
            "POST is made once");
    }

    [Fact]
    public async Task Replay_StreamWithoutLength_IsSentAgain()
    {
        await using var bench = await OutboundBench.StartAsync(Quick);
        bench.Upstream.Default.Replies(ScriptedReply.Status(503), ScriptedReply.Status(200));

        using var content = new OnceContent(Encoding.UTF8.GetBytes("streamed"));
        (await bench.StatusAsync(HttpMethod.Put, content: content)).ShouldBe(200);

        bench.Upstream.Requests.Select(request => request.BodyText).ShouldBe(["streamed", "streamed"]);
    }

    [Theory]
    [InlineData(64 * 1024, 2)]
    [InlineData((64 * 1024) + 1, 1)]
    [InlineData(8 * 1024 * 1024, 1)]
    public async Task Replay_UpToTheLimit_ElseSentOnceAndTheFirstAnswerReturned(int length, int attempts)
    {
        await using var bench = await OutboundBench.StartAsync(Quick);
        bench.Upstream.Default.Replies(ScriptedReply.Text("first", 503), ScriptedReply.Status(200));

        using var content = new OnceContent(new byte[length]);
        using var response = await bench.SendAsync(HttpMethod.Put, content: content);

        ((int)response.StatusCode).ShouldBe(attempts == 1 ? 503 : 200);
        bench.Upstream.Requests.Select(request => request.BodyLength).ShouldBe(Enumerable.Repeat((long)length, attempts));
        if (attempts == 1)
        {
            (await response.Content.ReadAsStringAsync()).ShouldBe("first");
        }
    }

    [Fact]
    public async Task Replay_HugeStream_IsNotBuffered()
    {
        const long Length = 256L << 20;
        await using var bench = await OutboundBench.StartAsync(Quick);
        bench.Upstream.Default.Replies(ScriptedReply.Status(503), ScriptedReply.Status(200));
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var peak = 0L;

        using var content = new EndlessContent(Length, () => peak = Math.Max(peak, GC.GetTotalMemory(false)));
        (await bench.StatusAsync(HttpMethod.Put, content: content)).ShouldBe(503);

        bench.Upstream.RequestCount.ShouldBe(1);
        (peak - before).ShouldBeLessThan(Length / 2);
    }

    [Fact]
    public async Task Responses_Discarded_AreDisposedAndTheLastIsNot()
    {
        var made = new List<TrackedResponse>();
        await using var bench = await OutboundBench.StartAsync(Quick, configure: pricing => pricing.AddHttpMessageHandler(() => new Stub(request =>
        {
            var response = new TrackedResponse(HttpStatusCode.ServiceUnavailable) { RequestMessage = request };
            made.Add(response);
            return response;
        })));

        using var response = await bench.SendAsync();

        made.Count.ShouldBe(3);
        made.Select(tracked => tracked.Disposals).ShouldBe([1, 1, 0]);
        response.ShouldBeSameAs(made[2]);
    }

    [Fact]
    public async Task Request_ChangedByAnInnerHandler_IsAsItWasAtEachAttempt()
    {
        var seen = new List<string>();
        await using var bench = await OutboundBench.StartAsync(Quick, configure: pricing => pricing.AddHttpMessageHandler(() => new Stub(request =>
        {
            seen.Add($"{request.Method} {request.RequestUri!.PathAndQuery} {string.Join('|', request.Headers.TryGetValues("X-Added", out var values) ? values : [])} {request.Content?.Headers.ContentType}");
            request.Headers.Add("X-Added", "again");
            request.Version = HttpVersion.Version20;
            request.Method = HttpMethod.Post;
            request.RequestUri = new Uri(request.RequestUri, "/elsewhere");
            return new HttpResponseMessage(HttpStatusCode.BadGateway);
        })));

        using var content = new StringContent("x");
        (await bench.StatusAsync(HttpMethod.Put, content: content)).ShouldBe(502);

        seen.ShouldBe(Enumerable.Repeat("PUT /price  text/plain; charset=utf-8", 3));
    }

    [Fact]
    public async Task Budget_EveryCallFails_RetriesAreATenthAndTheFloor()
    {
        await using var bench = await OutboundBench.StartAsync("""{ "Retry": { "Delay": "00:00:00" }, "CircuitBreaker": { "Mode": "Disabled" } }""");
        bench.Upstream.Default.Replies(ScriptedReply.Status(503));

        for (var call = 0; call < 200; call++)
        {
            (await bench.StatusAsync()).ShouldBe(503);
        }

        bench.Upstream.RequestCount.ShouldBeInRange(215, 226);
    }

    [Fact]
    public async Task Budget_OfOneAuthority_IsNotAnothers()
    {
        await using var bench = await OutboundBench.StartAsync("""{ "Retry": { "Delay": "00:00:00", "Budget": 0, "BudgetFloor": 2 }, "CircuitBreaker": { "Mode": "Disabled" } }""");
        await using var other = await ScriptedServer.StartAsync();
        bench.Upstream.Default.Replies(ScriptedReply.Status(503));
        other.Default.Replies(ScriptedReply.Status(503));
        for (var call = 0; call < 5; call++)
        {
            await bench.StatusAsync();
        }

        using var response = await bench.Client.GetAsync(other.Address);

        bench.Upstream.RequestCount.ShouldBe(7);
        other.RequestCount.ShouldBe(3);
    }
}
