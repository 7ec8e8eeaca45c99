using Microsoft.Extensions.Diagnostics.HealthChecks;
using ResilientHost.IntegrationTests.Operations;

namespace ResilientHost.IntegrationTests.Contract;

/// <summary><c>/health/live</c> and <c>/health/ready</c>. Written from the contract alone.</summary>
public sealed class OperationsHealthContractTests
{
    private const string Secret = "secret-of-the-check";

    private static TestServiceSetup Setup(string configuration = "{}", Action<WebApplicationBuilder>? services = null, ManualTimeProvider? time = null, Action<WebApplication>? more = null) => OperationsService.Setup(
        app =>
        {
            app.MapResilienceHealth();
            more?.Invoke(app);
        },
        configuration: configuration,
        time: time,
        more: services);

    private static TestServiceSetup Setup(Func<CancellationToken, Task<HealthCheckResult>> check, ManualTimeProvider? time = null, Action<WebApplication>? more = null, string configuration = "{}") =>
        Setup(configuration, builder => builder.Services.AddHealthChecks().AddAsyncCheck("own", check), time, more);

    [Theory]
    [InlineData(HealthStatus.Healthy, 200)]
    [InlineData(HealthStatus.Degraded, 200)]
    [InlineData(HealthStatus.Unhealthy, 503)]
    public async Task Ready_SaysTheWorstInOneWord(HealthStatus result, int expected)
    {
        await using var service = await TestService.StartAsync(Setup(_ => Task.FromResult(new HealthCheckResult(result, Secret, new InvalidOperationException(Secret), new Dictionary<string, object> { [Secret] = Secret }))));
        foreach (var wire in Enum.GetValues<Wire>())
        {
            using var response = await service.GetAsync("/health/ready", wire);
            ((int)response.StatusCode).ShouldBe(expected);
            (await response.Content.ReadAsStringAsync()).ShouldBe(result.ToString());
            response.Content.Headers.ContentType?.MediaType.ShouldBe("text/plain");
            response.Headers.CacheControl.ShouldNotBeNull().NoStore.ShouldBeTrue();
            (await service.AskAsync("/health/live", wire: wire)).ShouldBe((200, "Healthy"));
        }
    }

    [Theory]
    [OverBothWires]
    public async Task Head_IsAnsweredWithoutABody(Wire wire)
    {
        await using var service = await TestService.StartAsync(Setup(_ => Task.FromResult(HealthCheckResult.Unhealthy(Secret))));
        (await service.AskAsync("/health/ready", method: HttpMethod.Head, wire: wire)).ShouldBe((503, ""));
        (await service.AskAsync("/health/live", method: HttpMethod.Head, wire: wire)).ShouldBe((200, ""));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task ThrowingCheck_IsUnhealthy_AndTellsTheCallerNothing(bool atOnce)
    {
        await using var service = await TestService.StartAsync(Setup(async _ =>
        {
            if (!atOnce)
            {
                await Task.Yield();
            }

            throw new InvalidOperationException(Secret);
        }));
        (await service.AskAsync("/health/ready")).ShouldBe((503, "Unhealthy"));
        (await service.AskAsync("/health/live")).ShouldBe((200, "Healthy"));
    }

    [Fact]
    public async Task CheckThatCannotBeMade_IsUnhealthy_AndLiveGoesOn()
    {
        await using var service = await TestService.StartAsync(Setup(services: static builder => builder.Services.AddHealthChecks()
            .Add(new HealthCheckRegistration("own", static _ => throw new InvalidOperationException(Secret), null, null))));
        (await service.AskAsync("/health/ready")).ShouldBe((503, "Unhealthy"));
        (await service.AskAsync("/health/live")).ShouldBe((200, "Healthy"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task HangingCheck_After10Seconds_IsUnhealthy_AskedOnce_AndAllIsWellWhenItEnds(bool blocksItsThread)
    {
        var time = new ManualTimeProvider();
        var asked = 0;
        using var arrived = new SemaphoreSlim(0);
        using var blocked = new ManualResetEventSlim();
        var open = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var service = await TestService.StartAsync(Setup(
            async _ =>
            {
                Interlocked.Increment(ref asked);
                arrived.Release();
                if (blocksItsThread)
                {
                    blocked.Wait(CancellationToken.None);
                }

                await open.Task;
                return HealthCheckResult.Healthy();
            },
            time));
        var idle = time.ArmedTimers;
        var probes = Enumerable.Range(0, 10).Select(_ => service.AskAsync("/health/ready")).ToList();
        (await arrived.WaitAsync(TestService.Patience)).ShouldBeTrue();

        // Each waits under a limit of its own, and the run has one: who comes when its time is over may ask again.
        await TestService.EventuallyAsync(() => Task.FromResult(time.ArmedTimers >= idle + probes.Count + 1), "all probes wait");
        (await service.AskAsync("/health/live")).ShouldBe((200, "Healthy"));

        // The probes arrive one after another; each may bring a timer of its own.
        await TestService.EventuallyAsync(
            async () =>
            {
                time.Advance(TimeSpan.FromSeconds(10));
                await Task.Yield();
                return probes.TrueForAll(static probe => probe.IsCompleted);
            },
            "all probes are answered");
        foreach (var probe in probes)
        {
            (await probe).ShouldBe((503, "Unhealthy"));
        }

        asked.ShouldBe(1);
        blocked.Set();
        open.SetResult();
        await TestService.EventuallyAsync(async () => await service.AskAsync("/health/ready") == (200, "Healthy"), "ready again");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task CheckThatIsCancelledByItsOwnTimeout_IsUnhealthy(bool byRegistration)
    {
        await using var service = await TestService.StartAsync(Setup(services: builder => builder.Services.AddHealthChecks().AddAsyncCheck(
            "own",
            async token =>
            {
                if (!byRegistration)
                {
                    throw new TaskCanceledException(Secret);
                }

                await Task.Delay(Timeout.InfiniteTimeSpan, token);
                return HealthCheckResult.Healthy();
            },
            timeout: byRegistration ? TimeSpan.FromMilliseconds(50) : null)));
        (await service.AskAsync("/health/ready")).ShouldBe((503, "Unhealthy"));
    }

    [Fact]
    public async Task LayersAddedTwice_HaveEachCheckOnce()
    {
        await using var service = await TestService.StartAsync(Setup(services: static builder => builder.AddResilienceLayers()));
        (await service.AskAsync("/health/ready")).ShouldBe((200, "Healthy"));
    }

    [Fact]
    public async Task HostThatIsAskedToStop_IsNotReadyFromThatMoment_AndLiveIsLive()
    {
        await using var service = await TestService.StartAsync(Setup());
        service.Services.GetRequiredService<IHostApplicationLifetime>().StopApplication();
        foreach (var wire in Enum.GetValues<Wire>())
        {
            (await service.AskAsync("/health/ready", wire: wire)).ShouldBe((503, "Unhealthy"));
            (await service.AskAsync("/health/ready", method: HttpMethod.Head, wire: wire)).ShouldBe((503, ""));
            (await service.AskAsync("/health/live", wire: wire)).ShouldBe((200, "Healthy"));
        }
    }

    [Fact]
    public async Task HostThatIsAskedToStop_WithShutdownSwitchedOff_StaysReady()
    {
        await using var service = await TestService.StartAsync(Setup("""{ "Shutdown": { "Enabled": false } }"""));
        service.Services.GetRequiredService<IHostApplicationLifetime>().StopApplication();
        (await service.AskAsync("/health/ready")).ShouldBe((200, "Healthy"));
    }

    [Fact]
    public async Task ProberThatLeaves_SpoilsNobodysAnswer()
    {
        var gate = new Gate();
        await using var service = await TestService.StartAsync(Setup(async token =>
        {
            await gate.PassAsync(token);
            return HealthCheckResult.Healthy();
        }));
        using var leaving = await service.ConnectAsync();
        await leaving.SendAsync("GET /health/ready HTTP/1.1\r\nHost: localhost\r\n\r\n");
        await gate.ArrivalAsync();
        var staying = service.AskAsync("/health/ready");
        leaving.Reset();
        (await service.AskAsync("/health/live")).Status.ShouldBe(200);
        gate.Open();
        (await staying).ShouldBe((200, "Healthy"));
        service.ShouldHaveLoggedNoError();
    }

    [Theory]
    [InlineData("Enforce", false, 200, "Degraded")]
    [InlineData("Enforce", true, 503, "Unhealthy")]
    [InlineData("Shadow", false, 200, "Healthy")]
    [InlineData("Shadow", true, 200, "Healthy")]
    public async Task OpenCircuit_OfAnEndpoint(string mode, bool affects, int expected, string word)
    {
        var time = new ManualTimeProvider();
        await using var service = await TestService.StartAsync(Setup(
            $$"""{ "CircuitBreakers": { "plain": { "Mode": "{{mode}}", "ConsecutiveFailures": 2, "BreakDuration": "00:00:10", "BreakJitter": 0, "AffectsReadiness": {{(affects ? "true" : "false")}} } } }""",
            time: time,
            more: static app => app.MapGet("/plain", static () => Results.StatusCode(500)).WithCircuitBreaker("plain")));
        (await service.AskAsync("/health/ready")).ShouldBe((200, "Healthy"));
        await service.StatusOfAsync("/plain");
        await service.StatusOfAsync("/plain");
        (await service.AskAsync("/health/ready")).ShouldBe((expected, word));
        (await service.AskAsync("/health/live")).ShouldBe((200, "Healthy"));
        time.Advance(TimeSpan.FromSeconds(10));
        (await service.AskAsync("/health/ready")).ShouldBe((200, "Healthy"), "half-open never counts");
    }

    [Theory]
    [InlineData(false, 200, "Degraded")]
    [InlineData(true, 503, "Unhealthy")]
    public async Task CircuitOpenedByHand_CountsLikewise_AndFollowsAReload(bool affects, int expected, string word)
    {
        static string Section(bool affects, string mode = "Enforce") => $$"""{ "CircuitBreakers": { "plain": { "Mode": "{{mode}}", "AffectsReadiness": {{(affects ? "true" : "false")}} } } }""";
        await using var service = await TestService.StartAsync(Setup(Section(affects), more: static app =>
        {
            app.MapGet("/plain", static () => "ok").WithCircuitBreaker("plain");
            app.MapResilienceOperations().RequireAuthorization(OperationsService.Policy);
        }));
        foreach (var operation in new[] { "isolate", "reset", "force-open" })
        {
            (await service.OperateAsync(operation, new { name = "plain" })).Status.ShouldBe(200);
            (await service.AskAsync("/health/ready")).ShouldBe(operation == "reset" ? (200, "Healthy") : (expected, word), operation);
        }

        (await service.OperateAsync("reset", new { name = "plain" })).Status.ShouldBe(200);
        service.Configuration.Replace(Section(!affects, "ForcedOpen"));
        await TestService.EventuallyAsync(async () => await service.AskAsync("/health/ready") == (affects ? (200, "Degraded") : (503, "Unhealthy")), "the reload counts");
    }

    [Fact]
    public async Task OpenCircuit_OfACaller_NeverCounts()
    {
        await using var service = await TestService.StartAsync(Setup(
            """{ "CircuitBreakers": { "tenants": { "PartitionBy": "RouteValue:tenant", "ConsecutiveFailures": 2, "AffectsReadiness": true } } }""",
            more: static app => app.MapGet("/tenants/{tenant}", static () => Results.StatusCode(500)).WithCircuitBreaker("tenants")));
        await service.StatusOfAsync("/tenants/a");
        await service.StatusOfAsync("/tenants/a");
        (await service.StatusOfAsync("/tenants/a")).ShouldBe(503);
        (await service.AskAsync("/health/ready")).ShouldBe((200, "Healthy"));
    }

    [Theory]
    [InlineData("Enforce", false, 200, "Degraded")]
    [InlineData("Enforce", true, 503, "Unhealthy")]
    [InlineData("Shadow", false, 200, "Healthy")]
    [InlineData("Shadow", true, 200, "Healthy")]
    public async Task OpenCircuit_OfAnHttpClient(string mode, bool affects, int expected, string word)
    {
        var nowhere = OutboundBench.Nowhere();
        await using var service = await TestService.StartAsync(Setup(
            $$"""{ "HttpClients": { "pricing": { "CircuitBreaker": { "Mode": "{{mode}}", "ConsecutiveFailures": 2, "BreakDuration": "00:01:00", "AffectsReadiness": {{(affects ? "true" : "false")}} } } } }""",
            static builder => builder.Services.AddHttpClient("pricing").AddResilienceLayers("pricing"),
            more: static app => app.MapResilienceStatus().AllowAnonymous()));
        using var client = service.Services.GetRequiredService<IHttpClientFactory>().CreateClient("pricing");
        (await service.AskAsync("/health/ready")).ShouldBe((200, "Healthy"));
        for (var i = 0; i < 3; i++)
        {
            await Should.ThrowAsync<Exception>(() => client.GetAsync(nowhere, TestContext.Current.CancellationToken));
        }

        var authorities = (await service.StatusAsync()).GetProperty("httpClients").EnumerateArray().Single().GetProperty("authorities").EnumerateArray().Select(static one => one.GetProperty("state").GetString());
        authorities.ShouldContain("open");
        (await service.AskAsync("/health/ready")).ShouldBe((expected, word));
        (await service.AskAsync("/health/live")).ShouldBe((200, "Healthy"));
    }

    [Fact]
    public async Task LevelAboveNormal_IsDegraded()
    {
        await using var service = await TestService.StartAsync(Setup(Levels.ByHand));
        service.Level().Override(ServiceLevel.Survival);
        (await service.AskAsync("/health/ready")).ShouldBe((200, "Degraded"));
        service.Level().ClearOverride();
        (await service.AskAsync("/health/ready")).ShouldBe((200, "Healthy"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Draining_Is503AtOnce_AlsoWhileACheckHangs(bool hangs)
    {
        var gate = new Gate();
        if (!hangs)
        {
            gate.Open();
        }

        var service = await TestService.StartAsync(Setup(
            async _ =>
            {
                await gate.PassAsync(CancellationToken.None);
                return HealthCheckResult.Healthy();
            },
            configuration: """{ "Shutdown": { "ReadinessDelay": "00:00:05" } }""",
            more: static app => app.MapGet("/work", static () => "done")));
        var before = service.AskAsync("/health/ready");
        await gate.ArrivalAsync();
        if (!hangs)
        {
            (await before).ShouldBe((200, "Healthy"));
        }

        var asked = System.Diagnostics.Stopwatch.StartNew();
        var stopping = service.Services.GetRequiredService<IHost>().StopAsync(TestContext.Current.CancellationToken);
        await service.Logs.WaitForAsync(static entry => entry.EventId.Id == 2500, TestService.Patience);
        (await service.AskAsync("/health/ready")).ShouldBe((503, "Unhealthy"));
        (await service.AskAsync("/health/live")).ShouldBe((200, "Healthy"));
        (await service.AskAsync("/work")).ShouldBe((200, "done"));
        asked.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(5), "it did not wait for the check");
        if (hangs)
        {
            (await before.WaitAsync(TestService.Patience, TestContext.Current.CancellationToken)).ShouldBe((503, "Unhealthy"));
        }

        gate.Open();
        await stopping;
        await service.DisposeAsync();
    }

    [Fact]
    public async Task OwnMapHealthChecksAndPublishers_SeeOurs()
    {
        var publisher = new Publisher();
        await using var service = await TestService.StartAsync(Setup(
            """{ "CircuitBreakers": { "plain": { "AffectsReadiness": true }, "other": { } } }""",
            builder =>
            {
                builder.Services.AddSingleton<IHealthCheckPublisher>(publisher);
                builder.Services.Configure<HealthCheckPublisherOptions>(static options =>
                {
                    options.Delay = TimeSpan.FromMilliseconds(10);
                    options.Period = TimeSpan.FromSeconds(1);
                });
            },
            more: static app =>
            {
                app.MapGet("/plain", static () => "ok").WithCircuitBreaker("plain");
                app.MapGet("/other", static () => "ok").WithCircuitBreaker("other");
                app.MapHealthChecks("/healthz").AllowAnonymous();
                app.MapHealthChecks("/healthz/tagged", new() { Predicate = static check => check.Tags.Contains("ready") && check.Tags.Contains("resilience") }).AllowAnonymous();
                app.MapResilienceOperations().RequireAuthorization(OperationsService.Policy);
            }));
        (await service.AskAsync("/healthz")).ShouldBe((200, "Healthy"));
        var first = await publisher.NextAsync(static _ => true);
        foreach (var name in new[] { "resilience-shutdown", "resilience-circuits", "resilience-service-level", "resilience-workers", "resilience-work-items", "resilience-isolated-tasks", "resilience-process" })
        {
            first.Entries.Keys.ShouldContain(name);
            first.Entries[name].Tags.ShouldBe(["ready", "resilience"], ignoreOrder: true);
        }

        await service.OperateAsync("isolate", new { name = "other" });
        (await service.AskAsync("/healthz")).ShouldBe((200, "Degraded"));
        (await service.AskAsync("/healthz/tagged")).ShouldBe((200, "Degraded"));
        var degraded = await publisher.NextAsync(static report => report.Entries["resilience-circuits"].Status == HealthStatus.Degraded);
        degraded.Entries["resilience-circuits"].Description.ShouldNotBeNull().ShouldContain("other");
        await service.OperateAsync("isolate", new { name = "plain" });
        (await service.AskAsync("/healthz")).ShouldBe((503, "Unhealthy"));
        (await publisher.NextAsync(static report => report.Status == HealthStatus.Unhealthy)).Entries["resilience-circuits"].Description.ShouldNotBeNull().ShouldContain("plain");
    }

    [Theory]
    [InlineData("/probes", "/probes/live", "/probes/ready")]
    [InlineData("/", "/live", "/ready")]
    [InlineData("/health", "/health/live", "/health/ready")]
    public async Task OnAnotherPath_Works(string path, string live, string ready)
    {
        await using var service = await TestService.StartAsync(OperationsService.Setup(app => app.MapResilienceHealth(path)));
        (await service.AskAsync(live)).ShouldBe((200, "Healthy"));
        (await service.AskAsync(ready)).ShouldBe((200, "Healthy"));
    }

    [Fact]
    public async Task WhileEverythingIsShed_AndWithTheSuiteSwitchedOff_HealthAnswers()
    {
        await using var service = await TestService.StartAsync(Setup(Levels.ByHand));
        service.Level().Override(ServiceLevel.Survival);
        (await service.AskAsync("/health/live")).ShouldBe((200, "Healthy"));
        service.Configuration.Replace("""{ "Enabled": false }""");
        (await service.AskAsync("/health/live")).ShouldBe((200, "Healthy"));
        (await service.AskAsync("/health/ready")).Status.ShouldBe(200);
    }

    [Fact]
    public async Task InAGroupWithAPrefix_Works()
    {
        await using var service = await TestService.StartAsync(OperationsService.Setup(static app => app.MapGroup("/internal").MapResilienceHealth()));
        (await service.AskAsync("/internal/health/live")).ShouldBe((200, "Healthy"));
        (await service.AskAsync("/internal/health/ready")).ShouldBe((200, "Healthy"));
    }

    private sealed class Publisher : IHealthCheckPublisher
    {
        private readonly System.Threading.Channels.Channel<HealthReport> _reports = System.Threading.Channels.Channel.CreateUnbounded<HealthReport>();

        public Task PublishAsync(HealthReport report, CancellationToken cancellationToken) => _reports.Writer.WriteAsync(report, cancellationToken).AsTask();

        public async Task<HealthReport> NextAsync(Func<HealthReport, bool> condition)
        {
            using var patience = new CancellationTokenSource(TestService.Patience);
            HealthReport report;
            do
            {
                report = await _reports.Reader.ReadAsync(patience.Token);
            }
            while (!condition(report));
            return report;
        }
    }
}
