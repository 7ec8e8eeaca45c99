using System.Data.Common;
using System.Diagnostics;
using Polly;
using Polly.Registry;
using Polly.Timeout;

namespace ResilientHost.IntegrationTests.Contract;

/// <summary>Any other call: pipelines of Polly's registry from <c>Calls:&lt;name&gt;</c>.</summary>
public sealed class CallsContractTests
{
    private const string Breaking = """{ "Calls": { "orders": { "CircuitBreaker": { "ConsecutiveFailures": 2, "BreakDuration": "00:01:00" } } } }""";

    [Fact]
    public async Task Registry_AndProvider_HaveThePipelineOfEachName()
    {
        await using var service = await StartAsync("""{ "Calls": { "orders": {}, "stock": {} } }""");

        var registry = service.Services.GetRequiredService<ResiliencePipelineRegistry<string>>();
        registry.GetPipeline("orders").ShouldNotBeNull();
        service.Services.GetRequiredService<ResiliencePipelineProvider<string>>().GetPipeline("stock").ShouldNotBeNull();
        registry.TryGetPipeline("unknown", out _).ShouldBeFalse();
        (await Pipeline(service).ExecuteAsync(static _ => ValueTask.FromResult(7))).ShouldBe(7);
        Pipeline(service).Execute(() => 8).ShouldBe(8);
    }

    [Fact]
    public async Task Breaker_Opens_RefusesAndIsAnsweredThroughRecovery()
    {
        await using var service = await StartAsync(Breaking, app => app.MapGet("/", async (ResiliencePipelineProvider<string> pipelines) =>
            await pipelines.GetPipeline("orders").ExecuteAsync<string>(static _ => throw new InvalidOperationException("down"))));
        await FailAsync(service, 2);

        var refused = await Should.ThrowAsync<ExecutionRejectedException>(async () => await Pipeline(service).ExecuteAsync(static _ => ValueTask.FromResult(1)));
        refused.RetryAfterOf().ShouldBeInRange(TimeSpan.FromSeconds(50), TimeSpan.FromSeconds(67));
        using var response = await service.GetAsync("/");
        (await response.ShouldBeRefusalAsync(503, "circuit_open")).ShouldBeInRange(50, 67);
        (await service.StateOfAsync("call:orders")).ShouldBe("OPEN");
    }

    [Fact]
    public async Task Reload_KeepsTheStateAndTakesTheThresholds()
    {
        await using var service = await StartAsync(Breaking);
        await FailAsync(service, 2);
        var pipeline = Pipeline(service);

        service.Configuration.Replace("""{ "Calls": { "orders": { "CircuitBreaker": { "ConsecutiveFailures": 5, "BreakDuration": "00:01:00" } }, "stock": { "Bulkhead": { "MaxConcurrency": 1 } } } }""");

        await TestService.EventuallyAsync(() => Task.FromResult(service.Services.GetRequiredService<ResiliencePipelineRegistry<string>>().TryGetPipeline("stock", out _)), "a name that reload brought");
        await Should.ThrowAsync<ExecutionRejectedException>(async () => await pipeline.ExecuteAsync(static _ => ValueTask.FromResult(1)));
        (await service.StateOfAsync("call:orders")).ShouldBe("OPEN");
        (await service.Services.GetRequiredService<ResiliencePipelineProvider<string>>().GetPipeline("stock").ExecuteAsync(static _ => ValueTask.FromResult(3))).ShouldBe(3);
    }

    [Fact]
    public async Task Reload_KeepsFailuresCountedSoFar()
    {
        await using var service = await StartAsync("""{ "Calls": { "orders": { "CircuitBreaker": { "ConsecutiveFailures": 10, "BreakDuration": "00:01:00" } } } }""");
        await FailAsync(service, 3);

        service.Configuration.Replace("""{ "Calls": { "orders": { "CircuitBreaker": { "ConsecutiveFailures": 4, "BreakDuration": "00:01:00" } } } }""");
        await service.Logs.WaitForAsync(entry => entry.Message.Contains("onfiguration", StringComparison.Ordinal), TestService.Patience);
        await FailAsync(service, 1);

        (await service.StateOfAsync("call:orders")).ShouldBe("OPEN");
    }

    [Fact]
    public async Task Retry_IsOffUnlessAskedFor()
    {
        await using var service = await StartAsync("""{ "Calls": { "orders": {}, "again": { "Retry": { "MaxAttempts": 3, "Delay": "00:00:00" } } } }""");

        (await CountAsync(service, "orders")).ShouldBe(1);
        (await CountAsync(service, "again")).ShouldBe(3);
    }

    [Fact]
    public async Task Retry_HasABudget()
    {
        await using var service = await StartAsync("""{ "Calls": { "orders": { "Retry": { "MaxAttempts": 3, "Delay": "00:00:00" }, "CircuitBreaker": { "Mode": "Disabled" } } } }""");
        var calls = 0;
        for (var call = 0; call < 100; call++)
        {
            calls += await CountAsync(service, "orders");
        }

        calls.ShouldBeInRange(105, 116);
    }

    [Fact]
    public async Task AttemptTimeout_CancelsTheCallAndIsAFailure()
    {
        await using var service = await StartAsync("""{ "Calls": { "orders": { "AttemptTimeout": "00:00:00.100", "CircuitBreaker": { "ConsecutiveFailures": 1, "BreakDuration": "00:01:00" } } } }""");
        var watch = Stopwatch.StartNew();

        await Should.ThrowAsync<TimeoutRejectedException>(async () => await Pipeline(service).ExecuteAsync(async token => await Task.Delay(Timeout.Infinite, token)));

        watch.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(5));
        (await service.StateOfAsync("call:orders")).ShouldBe("OPEN");
    }

    [Fact]
    public async Task CallersCancellation_IsIgnored()
    {
        await using var service = await StartAsync("""{ "Calls": { "orders": { "CircuitBreaker": { "ConsecutiveFailures": 1 } } } }""");
        using var caller = new CancellationTokenSource(TimeSpan.FromMilliseconds(50));

        (await Should.ThrowAsync<OperationCanceledException>(async () => await Pipeline(service).ExecuteAsync(async token => await Task.Delay(Timeout.Infinite, token), caller.Token)))
            .ShouldNotBeAssignableTo<ExecutionRejectedException>();

        (await service.StateOfAsync("call:orders")).ShouldBe("CLOSED");
    }

    [Fact]
    public async Task Bulkhead_Full_IsRefusedNotCounted()
    {
        await using var service = await StartAsync("""{ "Calls": { "orders": { "Bulkhead": { "MaxConcurrency": 1 }, "CircuitBreaker": { "ConsecutiveFailures": 1 } } } }""");
        var gate = new Gate();
        var held = Pipeline(service).ExecuteAsync(async token => await gate.PassAsync(token)).AsTask();
        await gate.ArrivalAsync();

        await Should.ThrowAsync<ExecutionRejectedException>(async () => await Pipeline(service).ExecuteAsync(static _ => ValueTask.CompletedTask));
        gate.Open();
        await held;

        (await service.StateOfAsync("call:orders")).ShouldBe("CLOSED");
    }

    [Fact]
    public async Task Timeout_OfACall_IsAnsweredWith504()
    {
        await using var service = await StartAsync("""{ "Calls": { "orders": { "TotalTimeout": "00:00:00.100" } } }""", app => app.MapGet("/", async (ResiliencePipelineProvider<string> pipelines) =>
            await pipelines.GetPipeline("orders").ExecuteAsync(static async token => await Task.Delay(Timeout.Infinite, token))));

        using var response = await service.GetAsync("/");

        response.StatusCode.ShouldBe(HttpStatusCode.GatewayTimeout, await response.Content.ReadAsStringAsync());
    }

    [Theory]
    [InlineData("""{ "AttemptTimeout": "00:00:31" }""", "AttemptTimeout")]
    [InlineData("""{ "Retry": { "MaxAttempts": 99 } }""", "MaxAttempts")]
    [InlineData("""{ "Unknown": 1 }""", "Unknown")]
    public async Task Start_BadOptions_AreRefusedByName(string call, string names)
    {
        var error = await TestService.FailToStartAsync(new TestServiceSetup { Configuration = $$"""{ "Calls": { "orders": {{call}} } }""" });

        error.ShouldContain(names);
        error.ShouldContain("orders");
    }

    [Fact]
    public async Task KillSwitch_PassesThrough()
    {
        await using var service = await StartAsync("""{ "Calls": { "orders": { "Enabled": false, "CircuitBreaker": { "ConsecutiveFailures": 1 } } } }""");
        await FailAsync(service, 5);

        (await Pipeline(service).ExecuteAsync(static _ => ValueTask.FromResult(1))).ShouldBe(1);
    }

    [Fact]
    public async Task StatementsOwnFault_IsNotTheDatabases()
    {
        await using var service = await StartAsync("""{ "Calls": { "orders": { "CircuitBreaker": { "ConsecutiveFailures": 1 } } } }""");
        for (var call = 0; call < 3; call++)
        {
            await Should.ThrowAsync<DbException>(async () => await Pipeline(service).ExecuteAsync<int>(static _ => throw new StatementException("23505", isTransient: false)));
        }

        (await service.StateOfAsync("call:orders")).ShouldBe("CLOSED");
        await Should.ThrowAsync<DbException>(async () => await Pipeline(service).ExecuteAsync<int>(static _ => throw new StatementException("53300", isTransient: true)));
        (await service.StateOfAsync("call:orders")).ShouldBe("OPEN");
    }

    private static Task<TestService> StartAsync(string configuration, Action<WebApplication>? endpoints = null) =>
        TestService.StartAsync(new TestServiceSetup { Configuration = configuration, Endpoints = endpoints });

    private static ResiliencePipeline Pipeline(TestService service, string name = "orders") => service.Services.GetRequiredService<ResiliencePipelineProvider<string>>().GetPipeline(name);

    private static async Task FailAsync(TestService service, int calls)
    {
        for (var call = 0; call < calls; call++)
        {
            await Should.ThrowAsync<InvalidOperationException>(async () => await Pipeline(service).ExecuteAsync<int>(static _ => throw new InvalidOperationException("down")));
        }
    }

    private static async Task<int> CountAsync(TestService service, string name)
    {
        var calls = 0;
        await Should.ThrowAsync<IOException>(async () => await Pipeline(service, name).ExecuteAsync<int>(_ =>
        {
            calls++;
            throw new IOException("down");
        }));
        return calls;
    }

    private sealed class StatementException(string state, bool isTransient) : DbException("statement")
    {
        public override string SqlState => state;

        public override bool IsTransient => isTransient;
    }
}

internal static class RefusalReading
{
    /// <summary>What an application reads of a refusal without knowing our type.</summary>
    public static TimeSpan RetryAfterOf(this ExecutionRejectedException refused) => ((RefusedException)refused).Refusal.RetryAfter!.Value;
}
