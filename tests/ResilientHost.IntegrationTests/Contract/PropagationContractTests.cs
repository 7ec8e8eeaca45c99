using System.Globalization;
using System.Text;
using ResilientHost.IntegrationTests.Propagation;

namespace ResilientHost.IntegrationTests.Contract;

/// <summary>Deadlines, criticality and marks of retries from service to service.</summary>
public sealed class PropagationContractTests
{
    private const string Trusting = """{ "TrustedCallers": { "Networks": [ "127.0.0.0/8" ] }, "HttpClients": { "pricing": { "IsPeer": true } } }""";
    private const string TrustingNoPeer = """{ "TrustedCallers": { "Networks": [ "127.0.0.0/8" ] } }""";

    [Theory]
    [InlineData(100, 120)]
    [InlineData(300, 360)]
    public async Task Chain_OfThree_AtFullFailure_AtMostOnePointTwo(int requests, int atMost)
    {
        await using var chain = await ServiceChain.StartAsync(3, """{ "HttpClients": { "Default": { "CircuitBreaker": { "Mode": "Disabled" }, "Retry": { "Delay": "00:00:00" } } } }""");
        chain.Leaf.Default.Replies(ScriptedReply.Status(503));

        for (var request = 0; request < requests; request++)
        {
            (await chain.Entrance.StatusOfAsync("/")).ShouldBe(503);
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"{chain.Leaf.RequestCount} calls for {requests} requests");
        chain.Leaf.RequestCount.ShouldBeLessThanOrEqualTo(atMost);
    }

    [Fact]
    public async Task Chain_OfThree_LeafResets_AtMostOnePointTwo()
    {
        await using var chain = await ServiceChain.StartAsync(3, """{ "HttpClients": { "Default": { "CircuitBreaker": { "Mode": "Disabled" }, "Retry": { "Delay": "00:00:00" } } } }""");
        chain.Leaf.Default.Replies(ScriptedReply.Reset());

        for (var request = 0; request < 100; request++)
        {
            (await chain.Entrance.StatusOfAsync("/")).ShouldBeInRange(500, 504);
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"{chain.Leaf.RequestCount} calls");
        chain.Leaf.RequestCount.ShouldBeLessThanOrEqualTo(120);
    }

    [Fact]
    public async Task Deadline_BoundsCallsToAnybody()
    {
        await using var bench = await StartAsync(TrustingNoPeer);
        bench.Upstream.Default.Replies(ScriptedReply.Hang());
        var watch = System.Diagnostics.Stopwatch.StartNew();

        using var response = await SendAsync(bench, ("Resilience-Deadline", "500"));

        response.StatusCode.ShouldBe(HttpStatusCode.GatewayTimeout);
        watch.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(5));
        var request = bench.Upstream.Requests.ShouldHaveSingleItem();
        request.Headers.Keys.ShouldNotContain("Resilience-Deadline");
        (await request.Ended.WaitAsync(TestService.Patience)).ShouldBe(ScriptedEnd.ClientGone);
    }

    [Fact]
    public async Task Deadline_RetryThatWouldGoBeyondIt_IsNotBegun()
    {
        await using var bench = await StartAsync("""{ "TrustedCallers": { "Networks": [ "127.0.0.0/8" ] }, "HttpClients": { "pricing": { "Retry": { "Delay": "00:00:05", "Jitter": 0 } } } }""");
        bench.Upstream.Default.Replies(ScriptedReply.Status(503));
        var watch = System.Diagnostics.Stopwatch.StartNew();

        using var response = await SendAsync(bench, ("Resilience-Deadline", "3000"));

        response.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        watch.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(2));
        bench.Upstream.RequestCount.ShouldBe(1);
    }

    [Theory]
    [InlineData("999999999")]
    [InlineData("86400000")]
    public async Task Deadline_Huge_IsClamped(string value)
    {
        await using var bench = await StartAsync(Trusting);
        bench.Upstream.Default.Replies(ScriptedReply.Status(200));

        using var response = await SendAsync(bench, ("Resilience-Deadline", value));

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        Deadline(bench).ShouldNotBeNull().ShouldBeInRange(1, 86_400_000);
    }

    [Fact]
    public async Task Deadline_OfAnEndpointsTimeout_IsNeverExtendedByTheCaller()
    {
        await using var bench = await StartAsync(Trusting, timeout: TimeSpan.FromSeconds(2));
        bench.Upstream.Default.Replies(ScriptedReply.Status(200));

        using var response = await SendAsync(bench, ("Resilience-Deadline", "60000"));

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        Deadline(bench).ShouldNotBeNull().ShouldBeInRange(1, 2000);
    }

    [Theory]
    [InlineData("0")]
    [InlineData("000")]
    public async Task Deadline_Expired_IsRefusedBeforeItStarts(string value)
    {
        var ran = 0;
        await using var bench = await StartAsync(Trusting, before: () => Interlocked.Increment(ref ran));
        bench.Upstream.Default.Replies(ScriptedReply.Status(200));

        using var response = await SendAsync(bench, ("Resilience-Deadline", value));

        await response.ShouldBeProblemAsync(504, "deadline_exceeded");
        ran.ShouldBe(0);
        bench.Upstream.RequestCount.ShouldBe(0);
    }

    [Theory]
    [InlineData("-1"), InlineData("1e309"), InlineData("NaN"), InlineData("Infinity"), InlineData("+5"), InlineData("0x1"), InlineData("1.5"), InlineData(" "), InlineData("٣"), InlineData("9223372036854775808"), InlineData(null)]
    public async Task Garbage_IsAsIfThereWereNothing(string? value)
    {
        value ??= new string('1', 10 * 1024);
        await using var bench = await StartAsync(Trusting);
        bench.Upstream.Default.Replies(ScriptedReply.Status(503), ScriptedReply.Status(200));

        // As bytes: a client would send none but ASCII.
        var text = Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(value));
        using var connection = await bench.Service.ConnectAsync();
        var answer = await connection.RequestAsync("GET", "/", $"Resilience-Deadline: {text}", $"Resilience-Attempt: {text}", $"Resilience-Criticality: {text}");

        answer.ShouldStartWith("HTTP/1.1 200");
        bench.Upstream.RequestCount.ShouldBe(2);
        Deadline(bench).ShouldBeNull();
        bench.Upstream.Requests[1].Headers["Resilience-Attempt"].ToString().ShouldBe("2");
        bench.Service.ShouldHaveLoggedNoError();
    }

    [Theory]
    [InlineData("-1"), InlineData("1e309"), InlineData("NaN"), InlineData(null)]
    public async Task Garbage_InTheAnswer_IsAsIfThereWereNothing(string? value)
    {
        value ??= new string('n', 10 * 1024);
        await using var bench = await StartAsync(Trusting);
        bench.Upstream.Default.Replies(ScriptedReply.Status(503).WithHeader("Resilience-Retry", value), ScriptedReply.Status(200));

        using var response = await SendAsync(bench);

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Strangers_AreNotBelieved()
    {
        await using var bench = await StartAsync("""{ "HttpClients": { "pricing": { "IsPeer": true } } }""");
        bench.Upstream.Default.Replies(ScriptedReply.Status(200));

        using var response = await SendAsync(bench, ("Resilience-Deadline", "0"), ("Resilience-Criticality", "critical"));

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        Deadline(bench).ShouldBeNull();
        bench.Upstream.Requests[0].Headers.Keys.ShouldNotContain("Resilience-Criticality");
    }

    [Fact]
    public async Task Criticality_OfTheEndpoint_TravelsToPeersOnly()
    {
        await using var bench = await StartAsync(Trusting, criticality: Criticality.Critical);
        bench.Upstream.Default.Replies(ScriptedReply.Status(200));
        using (await SendAsync(bench))
        {
            bench.Upstream.Requests[0].Headers["Resilience-Criticality"].ToString().ShouldBe("critical");
        }

        await using var other = await StartAsync(TrustingNoPeer, criticality: Criticality.Critical);
        other.Upstream.Default.Replies(ScriptedReply.Status(200));
        using (await SendAsync(other, ("Resilience-Deadline", "5000")))
        {
            other.Upstream.Requests[0].Headers.Keys.ShouldNotContain(key => key.StartsWith("Resilience-", StringComparison.OrdinalIgnoreCase));
        }
    }

    [Fact]
    public async Task Criticality_OfTheRequest_Overrides()
    {
        await using var bench = await OutboundBench.StartAsync("""{ "IsPeer": true }""");
        bench.Upstream.Default.Replies(ScriptedReply.Status(200));

        await bench.StatusAsync(resilience: new RequestResilience { Criticality = Criticality.Sheddable });

        bench.Upstream.Requests[0].Headers["Resilience-Criticality"].ToString().ShouldBe("sheddable");
    }

    [Fact]
    public async Task Calls_AreBoundedByTheInboundDeadlineToo()
    {
        var upstream = new Gate();
        await using var service = await TestService.StartAsync(new TestServiceSetup
        {
            Configuration = """{ "TrustedCallers": { "Networks": [ "127.0.0.0/8" ] }, "Calls": { "orders": {} } }""",
            Endpoints = app => app.MapGet("/", async (Polly.Registry.ResiliencePipelineProvider<string> pipelines) =>
                await pipelines.GetPipeline("orders").ExecuteAsync(async token => await upstream.PassAsync(token))),
        });
        using var request = new HttpRequestMessage(HttpMethod.Get, "/");
        request.Headers.Add("Resilience-Deadline", "300");

        using var response = await service.SendAsync(request);

        response.StatusCode.ShouldBe(HttpStatusCode.GatewayTimeout);
    }

    private static int? Deadline(OutboundBench bench) =>
        bench.Upstream.Requests[0].Headers.TryGetValue("Resilience-Deadline", out var value) ? int.Parse(value.ToString(), NumberStyles.None, CultureInfo.InvariantCulture) : null;

    private static Task<HttpResponseMessage> SendAsync(OutboundBench bench, params (string Name, string Value)[] headers)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, "/");
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        return bench.Service.SendAsync(request);
    }

    private static Task<OutboundBench> StartAsync(string section, TimeSpan? timeout = null, Criticality? criticality = null, Action? before = null) => OutboundBench.StartWithAsync(
        section,
        app =>
        {
            var endpoint = app.MapGet("/", async (IHttpClientFactory clients, CancellationToken cancellationToken) =>
            {
                before?.Invoke();
                using var response = await clients.CreateClient("pricing").GetAsync("/price", cancellationToken);
                return Results.StatusCode((int)response.StatusCode);
            });
            if (timeout is { } limit)
            {
                endpoint.WithTimeout(limit);
            }

            if (criticality is { } asked)
            {
                endpoint.WithCriticality(asked);
            }
        });
}
