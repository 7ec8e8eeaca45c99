using System.Collections.Concurrent;

namespace ResilientHost.IntegrationTests.Operations;

public sealed class StressTests
{
    private const int Clients = 12;
    private const int RequestsPerClient = 100;

    [Theory, OverBothWires, Trait("Category", "Slow")]
    public async Task Mix_OfSuccessFailureAbortAndRefusal_LeavesNothingHeld(Wire wire)
    {
        await using var service = await TestService.StartAsync(
            app =>
            {
                app.MapGet("/fine", () => "fine").WithBulkhead("wide");
                app.MapGet("/async", async () =>
                {
                    await Task.Yield();
                    return "fine";
                }).WithBulkhead("narrow").WithCircuitBreaker("flaky");
                app.MapGet("/throw", async Task<string> () =>
                {
                    await Task.Yield();
                    throw new InvalidOperationException("stress");
                }).WithBulkhead("narrow").WithCircuitBreaker("flaky");
                app.MapGet("/started", async (HttpContext context) =>
                {
                    await context.Response.WriteAsync("part");
                    throw new InvalidOperationException("stress");
                }).WithBulkhead("narrow");
                app.MapGet("/forever", (HttpContext context) => context.UntilCallerLeavesAsync()).WithBulkhead("queue");
            },
            """
            { "Bulkheads": { "wide": { }, "narrow": { "MaxConcurrency": 2, "QueueLength": 2, "QueueTimeout": "00:00:00.050" },
                             "queue": { "MaxConcurrency": 2, "QueueLength": 3, "QueueTimeout": "00:00:00.020", "QueueOrder": "NewestFirst" } },
              "CircuitBreakers": { "flaky": { "ConsecutiveFailures": 3, "BreakDuration": "00:00:00.500" } } }
            """);
        var answers = new ConcurrentDictionary<string, int>();
        await Task.WhenAll(Enumerable.Range(0, Clients).Select(seed => Task.Run(() => RunClientAsync(service, wire, new Random(seed), answers))));

        answers.Values.Sum().ShouldBe(Clients * RequestsPerClient);
        answers.Keys.ShouldBeSubsetOf(["200", "500", "503", "aborted", "left"]);
        answers.Keys.ShouldContain("200");
        answers.Keys.ShouldContain("503");
        answers.Keys.ShouldContain("left");

        await service.NothingHeldAsync();
        for (var i = 0; i < 10; i++)
        {
            (await service.StatusOfAsync("/fine", wire)).ShouldBe(200);
        }

        service.Metrics.RecordObservableInstruments();
        service.Metrics.Dropped.ShouldBe(0);
    }

    private static async Task RunClientAsync(TestService service, Wire wire, Random random, ConcurrentDictionary<string, int> answers)
    {
        string[] paths = ["/fine", "/async", "/async", "/throw", "/started", "/forever"];
        for (var i = 0; i < RequestsPerClient; i++)
        {
            var path = paths[random.Next(paths.Length)];
            answers.AddOrUpdate(await AnswerOfAsync(service, wire, path, random), 1, (_, count) => count + 1);
        }
    }

    private static async Task<string> AnswerOfAsync(TestService service, Wire wire, string path, Random random)
    {
        using var client = new CancellationTokenSource();
        if (path == "/forever" || random.Next(10) == 0)
        {
            client.CancelAfter(random.Next(30));
        }

        try
        {
            using var response = await service.Client(wire).GetAsync(path, client.Token);
            return ((int)response.StatusCode).ToString();
        }
        catch (OperationCanceledException)
        {
            return "left";
        }
        catch (HttpRequestException)
        {
            return "aborted";
        }
    }
}
