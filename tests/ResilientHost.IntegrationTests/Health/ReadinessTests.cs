using System.Diagnostics;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using ResilientHost.Outbound;

namespace ResilientHost.IntegrationTests.Health;

public sealed class ReadinessTests
{
    private static TestServiceSetup Setup(string configuration = "{}", ManualTimeProvider? time = null, Action<IServiceCollection>? services = null) => new()
    {
        Configuration = configuration,
        Time = time,
        Builder = builder => services?.Invoke(builder.Services),
        Endpoints = static app =>
        {
            app.MapResilienceHealth();
            app.MapHealthChecks("/own");
        },
    };

    private static async Task<(int Status, string Body)> ReadAsync(TestService service, string path = "/health/ready")
    {
        using var response = await service.GetAsync(path);
        return ((int)response.StatusCode, await response.Content.ReadAsStringAsync());
    }

    private static CircuitBreakerRegistry Circuits(TestService service) => service.Services.GetRequiredService<CircuitBreakerRegistry>();

    [Fact]
    public async Task OpenCircuit_DegradesAndTakesNobodyOutOfService()
    {
        await using var service = await TestService.StartAsync(Setup("""{ "CircuitBreakers": { "orders": { }, "shadow": { "Mode": "Shadow" }, "off": { "Mode": "Disabled" } } }"""));
        Circuits(service).Get("shadow").Isolate();
        Circuits(service).Get("off").Isolate();
        (await ReadAsync(service)).ShouldBe((200, "Healthy"));
        Circuits(service).Get("orders").ForceOpen(TimeSpan.FromHours(1));
        (await ReadAsync(service)).ShouldBe((200, "Degraded"));
        (await ReadAsync(service, "/own")).ShouldBe((200, "Degraded"));
        (await ReadAsync(service, "/health/live")).ShouldBe((200, "Healthy"));
        var report = await service.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync();
        report.Entries["resilience-circuits"].Description.ShouldBe("Circuits are open: 'orders'.");
        report.Entries["resilience-circuits"].Tags.ShouldBe(["ready", "resilience"], ignoreOrder: true);
        Circuits(service).Get("orders").Reset();
        (await ReadAsync(service)).ShouldBe((200, "Healthy"));
    }

    [Fact]
    public async Task ManyOpenCircuits_AreNamedUpToFive()
    {
        var names = string.Join(", ", Enumerable.Range(1, 7).Select(static i => $$"""  "c{{i}}": { "Mode": "ForcedOpen" }"""));
        await using var service = await TestService.StartAsync(Setup($$"""{ "CircuitBreakers": { {{names}} } }"""));
        var report = await service.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync();
        report.Entries["resilience-circuits"].Description.ShouldBe("Circuits are open: 'c1', 'c2', 'c3', 'c4', 'c5' and 2 more.");
    }

    [Fact]
    public async Task CircuitThatAffectsReadiness_Open_IsNotReady_AndHalfOpenIs()
    {
        var time = new ManualTimeProvider();
        await using var service = await TestService.StartAsync(Setup(
            """{ "CircuitBreakers": { "db": { "AffectsReadiness": true, "BreakDuration": "00:00:05" }, "shadow": { "AffectsReadiness": true, "Mode": "Shadow" } } }""", time));
        Circuits(service).Get("shadow").Isolate();
        (await ReadAsync(service)).ShouldBe((200, "Healthy"));
        Circuits(service).Get("db").ForceOpen();
        (await ReadAsync(service)).ShouldBe((503, "Unhealthy"));
        time.Advance(TimeSpan.FromSeconds(5));

        // Else no request would come that could close it.
        (await ReadAsync(service)).ShouldBe((200, "Healthy"));
        Circuits(service).Get("db").Isolate();
        (await ReadAsync(service)).ShouldBe((503, "Unhealthy"));
    }

    [Theory]
    [InlineData(false, 200, "Degraded")]
    [InlineData(true, 503, "Unhealthy")]
    public async Task HttpClient_WithAnOpenAuthority_CountsAsItsCircuitSays(bool affects, int status, string word)
    {
        await using var service = await TestService.StartAsync(Setup($$"""{ "HttpClients": { "pricing": { "CircuitBreaker": { "AffectsReadiness": {{(affects ? "true" : "false")}} } } } }"""));
        var client = service.Services.GetRequiredService<OutboundClients>().GetOrAdd("pricing");
        client.Of(new Uri("https://a.example/")).CircuitBreaker.ForceOpen(TimeSpan.FromHours(1));
        client.Of(new Uri("https://b.example/"));
        (await ReadAsync(service)).ShouldBe((status, word));
    }

    [Fact]
    public async Task CircuitsOfCallers_NeverCount()
    {
        await using var service = await TestService.StartAsync(Setup("""{ "CircuitBreakers": { "tenants": { "PartitionBy": "Host", "AffectsReadiness": true } } }"""));
        Circuits(service).Get("tenants").Partitions!.Get("ann").ForceOpen(TimeSpan.FromHours(1));
        (await ReadAsync(service)).ShouldBe((200, "Healthy"));
        Circuits(service).Get("tenants").Isolate();
        (await ReadAsync(service)).ShouldBe((503, "Unhealthy"));
    }

    [Fact]
    public async Task ServiceLevel_AboveNormal_Degrades()
    {
        await using var service = await TestService.StartAsync(Setup());
        service.Services.GetRequiredService<IServiceLevel>().Override(ServiceLevel.Survival);
        (await ReadAsync(service)).ShouldBe((200, "Degraded"));
        service.Services.GetRequiredService<IServiceLevel>().ClearOverride();
        (await ReadAsync(service)).ShouldBe((200, "Healthy"));
    }

    [Fact]
    public async Task CheckThatHangs_CostsOneRun_IsUnhealthyInTime_AndStoppingIsToldAtOnce()
    {
        var time = new ManualTimeProvider();
        var (asked, hang) = (0, new Gate());
        await using var service = await TestService.StartAsync(Setup(
            """{ "Shutdown": { "ReadinessDelay": "00:01:00" } }""",
            time,
            services => services.AddHealthChecks().AddAsyncCheck("hangs", async () =>
            {
                Interlocked.Increment(ref asked);
                await hang.PassAsync();
                return HealthCheckResult.Healthy();
            })));
        var waiting = Enumerable.Range(0, 20).Select(_ => ReadAsync(service)).ToList();
        await hang.ArrivalAsync();
        (await ReadAsync(service, "/health/live")).ShouldBe((200, "Healthy"));
        await TestService.EventuallyAsync(
            () =>
            {
                time.Advance(TimeSpan.FromSeconds(1));
                return Task.FromResult(waiting.TrueForAll(static probe => probe.IsCompleted));
            },
            "every probe answered");
        foreach (var probe in waiting)
        {
            (await probe).ShouldBe((503, "Unhealthy"));
        }

        asked.ShouldBe(1);
        service.Logs.Entries.Count(static entry => entry.EventId.Id == 2960).ShouldBe(1);

        // It hangs on; the host is asked to stop while a probe waits for it.
        var last = ReadAsync(service);
        await TestService.EventuallyAsync(async () => (await ReadAsync(service, "/health/live")).Status == 200, "the server answers");
        var start = Stopwatch.GetTimestamp();
        var stopping = service.Services.GetRequiredService<IHost>().StopAsync();
        (await last).ShouldBe((503, "Unhealthy"));
        (await ReadAsync(service)).ShouldBe((503, "Unhealthy"));
        Stopwatch.GetElapsedTime(start).ShouldBeLessThan(TimeSpan.FromSeconds(5));
        hang.Open();
        time.Advance(TimeSpan.FromMinutes(1));
        await stopping;
    }

    [Fact]
    public async Task CheckThatHangsOnce_IsAskedAnew_AndTheInstanceComesBack()
    {
        var time = new ManualTimeProvider();
        var (asked, hang) = (0, new Gate());
        await using var service = await TestService.StartAsync(Setup(
            time: time,
            services: services => services.AddHealthChecks().AddAsyncCheck("lost", async () =>
            {
                // The reply to one question was lost, and nothing will end the wait for it.
                if (Interlocked.Increment(ref asked) == 1)
                {
                    await hang.PassAsync();
                }

                return HealthCheckResult.Healthy();
            })));
        var first = ReadAsync(service);
        await hang.ArrivalAsync();
        await TestService.EventuallyAsync(
            () =>
            {
                time.Advance(TimeSpan.FromSeconds(1));
                return Task.FromResult(first.IsCompleted);
            },
            "the probe answered");
        (await first).ShouldBe((503, "Unhealthy"));
        (await ReadAsync(service).WaitAsync(TestService.Patience)).ShouldBe((200, "Healthy"));
        asked.ShouldBe(2);
        hang.Open();
    }

    [Fact]
    public async Task CheckThatHangsForGood_IsAskedEverMoreSeldom()
    {
        var time = new ManualTimeProvider();
        var (asked, hang) = (0, new Gate());
        await using var service = await TestService.StartAsync(Setup(
            time: time,
            services: services => services.AddHealthChecks().AddAsyncCheck("hangs", async () =>
            {
                Interlocked.Increment(ref asked);
                await hang.PassAsync();
                return HealthCheckResult.Healthy();
            })));
        var start = time.GetUtcNow();
        for (var minute = 0; minute < 60; minute++)
        {
            var probe = ReadAsync(service);
            await TestService.EventuallyAsync(
                () =>
                {
                    time.Advance(TimeSpan.FromSeconds(10));
                    return Task.FromResult(probe.IsCompleted);
                },
                "the probe answered");
            (await probe).Status.ShouldBe(503);
            time.Advance(TimeSpan.FromSeconds(50));
        }

        // Every two minutes at the most; a slow machine makes the hour longer.
        asked.ShouldBeInRange(5, (int)(time.GetUtcNow() - start).TotalMinutes / 2);

        // All those that hung end, and it is as if nothing had been.
        hang.Open();
        time.Advance(TimeSpan.FromMinutes(10));
        await TestService.EventuallyAsync(async () => await ReadAsync(service) == (200, "Healthy"), "the instance is ready");
    }

    [Fact]
    public async Task Stopping_WhileACallbackOfTheApplicationBlocks_IsToldAtOnce()
    {
        await using var service = await TestService.StartAsync(Setup());
        using var release = new ManualResetEventSlim();
        var blocked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var lifetime = service.Services.GetRequiredService<IHostApplicationLifetime>();
        using var callback = lifetime.ApplicationStopping.Register(() =>
        {
            blocked.SetResult();
            release.Wait(TestService.Patience);
        });
        (await ReadAsync(service)).ShouldBe((200, "Healthy"));

        // As a signal does, and before the host itself begins to stop.
        var stopping = Task.Run(lifetime.StopApplication);
        await blocked.Task.WaitAsync(TestService.Patience);
        try
        {
            (await ReadAsync(service)).ShouldBe((503, "Unhealthy"));
        }
        finally
        {
            release.Set();
            await stopping;
        }
    }

    [Fact]
    public async Task CheckThatThrows_IsUnhealthyAndTellsNothing()
    {
        await using var service = await TestService.StartAsync(Setup(services: static services =>
            services.AddHealthChecks().AddCheck("throws", static HealthCheckResult () => throw new InvalidOperationException("secret-of-the-check"))));
        (await ReadAsync(service)).ShouldBe((503, "Unhealthy"));
    }

    [Fact]
    public async Task Publishers_SeeTheSuitesChecks()
    {
        var publisher = new Publisher();
        await using var service = await TestService.StartAsync(Setup("""{ "CircuitBreakers": { "db": { "Mode": "ForcedOpen", "AffectsReadiness": true } } }""", services: services =>
        {
            services.AddSingleton<IHealthCheckPublisher>(publisher);
            services.Configure<HealthCheckPublisherOptions>(static options => options.Delay = TimeSpan.Zero);
        }));
        var report = await publisher.Published.Task.WaitAsync(TestService.Patience);
        report.Status.ShouldBe(HealthStatus.Unhealthy);
        report.Entries["resilience-circuits"].Description.ShouldBe("Circuits that readiness depends on are open: 'db'.");
        report.Entries.Keys.ShouldContain("resilience-service-level");
    }

    private sealed class Publisher : IHealthCheckPublisher
    {
        public TaskCompletionSource<HealthReport> Published { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task PublishAsync(HealthReport report, CancellationToken cancellationToken)
        {
            Published.TrySetResult(report);
            return Task.CompletedTask;
        }
    }
}
