namespace ResilientHost.IntegrationTests.Propagation;

/// <summary>What a dependency that fails every call has to bear when each service before it makes failed calls again.</summary>
public sealed class RetryAmplificationTests
{
    private const int Requests = 200;
    private const int AtATime = 20;

    [Theory]
    [InlineData("Enforce")]
    [InlineData("Disabled")]
    public async Task Chain_EveryCallFails_LeafGetsAtMostAFifthMoreCallsThanThereAreRequests(string circuits)
    {
        await using var chain = await ServiceChain.StartAsync(3, $$"""{ "HttpClients": { "Default": { "CircuitBreaker": { "Mode": "{{circuits}}" } } } }""");
        chain.Leaf.Default.Replies(ScriptedReply.Status(503));

        await Parallel.ForEachAsync(
            Enumerable.Range(0, Requests),
            new ParallelOptions { MaxDegreeOfParallelism = AtATime, CancellationToken = TestContext.Current.CancellationToken },
            async (_, cancellationToken) =>
            {
                using var response = await chain.Entrance.Client().GetAsync("/", cancellationToken);
                response.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
            });

        var perRequest = (double)chain.Leaf.RequestCount / Requests;
        TestContext.Current.TestOutputHelper?.WriteLine($"circuits {circuits}: {perRequest:0.00} calls per request");
        perRequest.ShouldBeLessThanOrEqualTo(1.2);
    }

    [Fact]
    public async Task Chain_NeitherBudgetsNorCircuitsHold_OnlyTheLastServiceMakesItsCallAgain()
    {
        await using var chain = await ServiceChain.StartAsync(3, """{ "HttpClients": { "Default": { "CircuitBreaker": { "Mode": "Disabled" }, "Retry": { "Delay": "00:00:00", "BudgetFloor": 1000 } } } }""");
        chain.Leaf.Default.Replies(ScriptedReply.Status(503));

        (await chain.Entrance.StatusOfAsync("/")).ShouldBe(503);

        chain.Leaf.RequestCount.ShouldBe(3);
    }

    [Fact]
    public async Task Chain_RetriesByHand_LeafGetsTwentySevenCalls()
    {
        await using var chain = await ServiceChain.StartAsync(3, hasLayers: false, call: static async (next, cancellationToken) =>
        {
            var status = 0;
            for (var attempt = 0; attempt < 3 && status is 0 or >= 500; attempt++)
            {
                status = await ServiceChain.CallAsync(next, cancellationToken);
            }

            return status;
        });
        chain.Leaf.Default.Replies(ScriptedReply.Status(503));

        (await chain.Entrance.StatusOfAsync("/")).ShouldBe(503);

        chain.Leaf.RequestCount.ShouldBe(27);
    }

    [Fact]
    public async Task Service_ServesARetry_CallsOnceAndSaysThatAnotherOneIsPointless()
    {
        await using var chain = await ServiceChain.StartAsync(1);
        chain.Leaf.Default.Replies(ScriptedReply.Status(503));
        using var request = new HttpRequestMessage(HttpMethod.Get, "/");
        request.Headers.Add("Resilience-Attempt", "2");

        using var response = await chain.Entrance.SendAsync(request);

        response.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        response.Headers.GetValues("Resilience-Retry").ShouldBe(["no"]);
        chain.Leaf.Requests.ShouldHaveSingleItem().Headers["Resilience-Attempt"].ToString().ShouldBe("2");
    }

    [Fact]
    public async Task Service_DependencyRecoversWithinTheCall_SaysNothing()
    {
        await using var chain = await ServiceChain.StartAsync(2);
        chain.Leaf.Default.Replies(ScriptedReply.Status(503), ScriptedReply.Status(200));

        using var response = await chain.Entrance.GetAsync("/");

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        response.Headers.Contains("Resilience-Retry").ShouldBeFalse();
        chain.Leaf.Requests.Select(request => request.Headers.TryGetValue("Resilience-Attempt", out var attempt) ? attempt.ToString() : "-").ShouldBe(["-", "2"]);
    }
}
