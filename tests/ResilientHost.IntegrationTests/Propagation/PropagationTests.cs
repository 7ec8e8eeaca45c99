using System.Globalization;

namespace ResilientHost.IntegrationTests.Propagation;

/// <summary>What a caller says of its call, from one service to the next over real sockets.</summary>
public sealed class PropagationTests
{
    private const string Trusting = """{ "TrustedCallers": { "Networks": [ "127.0.0.0/8" ] }, "HttpClients": { "next": { "IsPeer": true } } }""";
    private const string Doubting = """{ "HttpClients": { "next": { "IsPeer": true } } }""";

    [Fact]
    public async Task Deadline_OverTwoHops_ShrinksAndArrives()
    {
        await using var chain = await ServiceChain.StartAsync(2, Trusting);
        chain.Leaf.Default.Replies(ScriptedReply.Status(200));

        (await StatusAsync(chain, ("Resilience-Deadline", "15000"), ("Resilience-Criticality", "critical"))).ShouldBe(200);

        var request = chain.Leaf.Requests.ShouldHaveSingleItem();
        var left = int.Parse(request.Headers["Resilience-Deadline"].ToString(), NumberStyles.None, CultureInfo.InvariantCulture);
        left.ShouldBeInRange(1, 14_999);
        request.Headers["Resilience-Criticality"].ToString().ShouldBe("critical");
        request.Headers["Resilience-Attempt"].ToString().ShouldBe("1");
    }

    [Fact]
    public async Task Deadline_LeafHangs_EveryServiceOnTheWayLetsGo()
    {
        await using var chain = await ServiceChain.StartAsync(2, Trusting);
        chain.Leaf.Default.Replies(ScriptedReply.Hang());

        (await StatusAsync(chain, ("Resilience-Deadline", "300"))).ShouldBe(504);

        chain.Leaf.RequestCount.ShouldBe(1);
        foreach (var service in chain.Services)
        {
            await service.NothingHeldAsync();
        }
    }

    [Fact]
    public async Task Deadline_IsOver_NothingIsCalled()
    {
        await using var chain = await ServiceChain.StartAsync(1, Trusting);
        using var request = Request(("Resilience-Deadline", "0"));

        using var response = await chain.Entrance.SendAsync(request);

        await response.ShouldBeProblemAsync(504, "deadline_exceeded");
        chain.Leaf.RequestCount.ShouldBe(0);
    }

    [Fact]
    public async Task Deadline_OfAStranger_IsNotBelievedNorPassedOn()
    {
        await using var chain = await ServiceChain.StartAsync(1, Doubting);
        chain.Leaf.Default.Replies(ScriptedReply.Status(200));

        (await StatusAsync(chain, ("Resilience-Deadline", "0"), ("Resilience-Criticality", "critical"))).ShouldBe(200);

        var request = chain.Leaf.Requests.ShouldHaveSingleItem();
        request.Headers.ContainsKey("Resilience-Deadline").ShouldBeFalse();
        request.Headers.ContainsKey("Resilience-Criticality").ShouldBeFalse();
    }

    [Theory]
    [InlineData("-1")]
    [InlineData("1e309")]
    [InlineData("NaN")]
    [InlineData("0, 0")]
    [InlineData("00000000000000000000")]
    [InlineData(null)]
    public async Task Headers_Garbage_IsAsIfThereWereNone(string? garbage)
    {
        garbage ??= new string('9', 10_240);
        await using var chain = await ServiceChain.StartAsync(1, Trusting);
        chain.Leaf.Default.Replies(ScriptedReply.Status(503), ScriptedReply.Status(200));

        (await StatusAsync(chain, ("Resilience-Deadline", garbage), ("Resilience-Criticality", garbage), ("Resilience-Attempt", garbage))).ShouldBe(200);

        chain.Leaf.Requests.Select(request => request.Headers["Resilience-Attempt"].ToString()).ShouldBe(["1", "2"]);
        chain.Leaf.Requests.ShouldAllBe(request => !request.Headers.ContainsKey("Resilience-Deadline"));
        chain.Entrance.ShouldHaveLoggedNoError();
    }

    [Fact]
    public async Task Call_ByAnOpenCircuit_IsAnsweredWithItsRefusal()
    {
        await using var chain = await ServiceChain.StartAsync(1, """{ "HttpClients": { "next": { "Retry": { "MaxAttempts": 1 }, "CircuitBreaker": { "ConsecutiveFailures": 1, "BreakDuration": "00:01:00" } } } }""");
        chain.Leaf.Default.Replies(ScriptedReply.Status(500));

        (await chain.Entrance.StatusOfAsync("/")).ShouldBe(500);
        using var response = await chain.Entrance.GetAsync("/");

        (await response.ShouldBeRefusalAsync(503, "circuit_open")).ShouldBeInRange(1, 66);
        response.Headers.GetValues("Resilience-Retry").ShouldBe(["no"]);
        chain.Leaf.RequestCount.ShouldBe(1);
    }

    [Fact]
    public async Task Call_ThatHangs_IsAnsweredWithATimeout()
    {
        await using var chain = await ServiceChain.StartAsync(1, """{ "HttpClients": { "next": { "TotalTimeout": "00:00:00.200" } } }""");
        chain.Leaf.Default.Replies(ScriptedReply.Hang());

        using var response = await chain.Entrance.GetAsync("/");

        await response.ShouldBeProblemAsync(504, "timeout");
    }

    private static async Task<int> StatusAsync(ServiceChain chain, params (string Name, string Value)[] headers)
    {
        using var request = Request(headers);
        using var response = await chain.Entrance.SendAsync(request);
        return (int)response.StatusCode;
    }

    private static HttpRequestMessage Request(params (string Name, string Value)[] headers)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, "/");
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        return request;
    }
}
