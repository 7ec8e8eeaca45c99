using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace ResilientHost.IntegrationTests.Contract;

/// <summary>Health answers and the status page of workers. Written from the contract alone.</summary>
public sealed class HealthContractTests
{
    private const string Secret = "secret-of-the-exception";

    private static TestServiceSetup Setup(string configuration, Action<IServiceCollection> services) => new()
    {
        Configuration = configuration,
        Time = new ManualTimeProvider(),
        Builder = builder => services(builder.Services),
        Endpoints = static app => app.MapResilienceHealth(),
    };

    private static async Task<(int Status, string Body)> ReadAsync(TestService service, string path)
    {
        using var response = await service.GetAsync(path);
        return ((int)response.StatusCode, await response.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Checks_OfTheApplication_AreAskedByReadyAndNotByLive()
    {
        var asked = 0;
        var result = HealthCheckResult.Healthy(Secret);
        await using var service = await TestService.StartAsync(Setup("{}", services => services.AddHealthChecks().AddCheck("own", () =>
        {
            Interlocked.Increment(ref asked);
            return result;
        })));
        (await ReadAsync(service, "/health/live")).ShouldBe((200, "Healthy"));
        asked.ShouldBe(0);
        (await ReadAsync(service, "/health/ready")).ShouldBe((200, "Healthy"));
        result = HealthCheckResult.Degraded(Secret);
        (await ReadAsync(service, "/health/ready")).ShouldBe((200, "Degraded"));
        result = HealthCheckResult.Unhealthy(Secret, new InvalidOperationException(Secret));
        (await ReadAsync(service, "/health/ready")).ShouldBe((503, "Unhealthy"));
        (await ReadAsync(service, "/health/live")).ShouldBe((200, "Healthy"));
    }

    [Fact]
    public async Task WorkerGivenUp_DegradesReadinessUntilItRunsAgainAndSaysNothingOfItsText()
    {
        var script = new Script();
        await using var service = await TestService.StartAsync(Setup(
            """{ "Workers": { "Default": { "MaxRestarts": 0, "HeartbeatTimeout": "00:00:00.100" } } }""", services => services.AddResilientWorker("orders", script.Make)));
        (await ReadAsync(service, "/health/ready")).ShouldBe((200, "Healthy"));
        (await script.NextAsync()).Fail(Secret);
        await TestService.EventuallyAsync(async () => await ReadAsync(service, "/health/ready") == (200, "Degraded"), "degraded");

        var status = await service.StatusAsync();
        status.GetRawText().ShouldNotContain(Secret);
        var worker = status.GetProperty("workers").EnumerateArray().Single(static one => one.GetProperty("name").GetString() == "orders");
        worker.GetProperty("state").GetString().ShouldBe("failed");
        worker.GetProperty("restarts").GetInt32().ShouldBe(0);
        worker.GetProperty("lastFailure").GetString().ShouldBe("System.InvalidOperationException");
        worker.TryGetProperty("lastHeartbeat", out _).ShouldBeTrue();

        var workers = service.Services.GetRequiredService<WorkerRegistry>();
        workers.Restart("orders");
        var run = await script.NextAsync();
        await TestService.EventuallyAsync(async () => await ReadAsync(service, "/health/ready") == (200, "Healthy"), "healthy again");
        ((ManualTimeProvider)service.Services.GetRequiredService<TimeProvider>()).Advance(TimeSpan.FromSeconds(5));
        await TestService.EventuallyAsync(async () => await ReadAsync(service, "/health/ready") == (200, "Degraded"), "stuck degrades");
        run.Context.Heartbeat();
        await TestService.EventuallyAsync(async () => await ReadAsync(service, "/health/ready") == (200, "Healthy"), "healthy at last");
    }

    [Fact]
    public async Task Status_OfWorkers_HasTheMembersOfTheContract()
    {
        var script = new Script();
        await using var service = await TestService.StartAsync(Setup("{}", services => services.AddResilientWorker("orders", script.Make)));
        (await script.NextAsync()).Context.Heartbeat("packing");
        var worker = (await service.StatusAsync()).GetProperty("workers").EnumerateArray().Single(static one => one.GetProperty("name").GetString() == "orders");
        worker.GetProperty("state").GetString().ShouldBe("running");
        worker.GetProperty("lastFailure").ValueKind.ShouldBe(JsonValueKind.Null);
        worker.GetProperty("lastHeartbeat").GetDateTimeOffset().ShouldBe(service.Services.GetRequiredService<TimeProvider>().GetUtcNow());
    }

    [Fact]
    public async Task CrashingWorker_BesideRequests_AffectsNone()
    {
        var script = new Script();
        var setup = Setup("""{ "Workers": { "Default": { "RestartDelay": "00:00:00", "MaxRestarts": 1000 } } }""", services => services.AddResilientWorker("orders", script.Make));
        await using var service = await TestService.StartAsync(setup);
        for (var i = 0; i < 50; i++)
        {
            (await script.NextAsync()).Fail(Secret);
            (await service.StatusOfAsync("/health/live")).ShouldBe(200);
        }

        await script.NextAsync();
    }
}
