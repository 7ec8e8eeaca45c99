namespace ResilientHost.IntegrationTests.Contract;

/// <summary>What configuration and registration refuse, and how clearly. Written from the contract alone.</summary>
public sealed class WorkerConfigurationContractTests
{
    private static void One(IServiceCollection services) => services.AddResilientWorker("orders", new Script().Make);

    [Theory]
    [InlineData("\"MaxRestarts\": -1", "MaxRestarts", "-1")]
    [InlineData("\"MaxRestarts\": 1000001", "MaxRestarts", "1000001")]
    [InlineData("\"RestartWindow\": \"00:00:00\"", "RestartWindow", "00:00:00")]
    [InlineData("\"RestartDelay\": \"30\"", "RestartDelay", "30")]
    [InlineData("\"RestartDelay\": \"-00:00:01\"", "RestartDelay", "-00:00:01")]
    [InlineData("\"RestartBackoff\": 0.5", "RestartBackoff", "0.5")]
    [InlineData("\"RestartBackoff\": \"NaN\"", "RestartBackoff", "NaN")]
    [InlineData("\"RestartJitter\": 1.5", "RestartJitter", "1.5")]
    [InlineData("\"FailureThreshold\": 0", "FailureThreshold", "0")]
    [InlineData("\"FailureDecay\": \"31.00:00:00\"", "FailureDecay", "31.00:00:00")]
    [InlineData("\"RestartDelay\": \"00:01:00\", \"MaxRestartDelay\": \"00:00:01\"", "MaxRestartDelay", "00:00:01")]
    [InlineData("\"HeartbeatTimeout\": \"00:00:00.001\"", "HeartbeatTimeout", "00:00:00.001")]
    [InlineData("\"StopTimeout\": \"01:00:01\"", "StopTimeout", "01:00:01")]
    [InlineData("\"MaxAbandoned\": 101", "MaxAbandoned", "101")]
    [InlineData("\"Restart\": \"Sometimes\"", "Restart", "Sometimes")]
    [InlineData("\"ReplaceStuck\": true", "ReplaceStuck", "HeartbeatTimeout")]
    [InlineData("\"Group\": \"nobody\"", "nobody", "WorkerGroups")]
    [InlineData("\"DependsOn\": \"nobody\"", "nobody", "orders")]
    [InlineData("\"DependsOn\": \"orders\"", "orders", "DependsOn")]
    [InlineData("\"CircuitBreaker\": \"nobody\"", "nobody", "CircuitBreakers")]
    [InlineData("\"Bulkhead\": \"nobody\"", "nobody", "Bulkheads")]
    [InlineData("\"MaxRestart\": 5", "MaxRestart", "MaxRestarts")]
    public async Task Value_OutOfItsBounds_StopsTheStartWithKeyAndValue(string member, string key, string value)
    {
        var message = await WorkerBench.FailToStartAsync($$"""{ "Workers": { "orders": { {{member}} } } }""", One);
        message.ShouldContain(key);
        message.ShouldContain(value);
    }

    [Theory]
    [InlineData("""{ "IsolatedTasks": { "MaxTasks": 0 } }""", "MaxTasks")]
    [InlineData("""{ "IsolatedTasks": { "MaxTasksPerName": 0 } }""", "MaxTasksPerName")]
    [InlineData("""{ "IsolatedTasks": { "DrainTimeout": "01:00:01" } }""", "DrainTimeout")]
    [InlineData("""{ "IsolatedTasks": { "LeakWindow": "00:00:00.500" } }""", "LeakWindow")]
    [InlineData("""{ "IsolatedTasks": { "LeakThreshold": 1 } }""", "LeakThreshold")]
    [InlineData("""{ "Shutdown": { "ReadinessDelay": "00:10:01" } }""", "ReadinessDelay")]
    [InlineData("""{ "WorkerGroups": { "g": { "MaxRestarts": -1 } } }""", "WorkerGroups:g:MaxRestarts")]
    [InlineData("""{ "WorkerGroups": { "g": { "Strategy": "OneForNone" } } }""", "OneForNone")]
    public async Task Section_OutOfItsBounds_StopsTheStart(string configuration, string marker) =>
        (await WorkerBench.FailToStartAsync(configuration, One)).ShouldContain(marker);

    [Fact]
    public async Task Errors_Several_AreToldAtOnce()
    {
        var message = await WorkerBench.FailToStartAsync(
            """{ "Workers": { "orders": { "MaxRestarts": -1, "RestartJitter": 3 } }, "IsolatedTasks": { "MaxTasks": 0 } }""", One);
        message.ShouldContain("Workers:orders:MaxRestarts");
        message.ShouldContain("Workers:orders:RestartJitter");
        message.ShouldContain("IsolatedTasks:MaxTasks");
    }

    [Fact]
    public async Task Dependencies_InACircle_StopTheStartWithTheWholePath()
    {
        var message = await WorkerBench.FailToStartAsync("{}", static services =>
        {
            services.AddResilientWorker("first", new Script().Make, static worker => worker.DependsOn = "second");
            services.AddResilientWorker("second", new Script().Make, static worker => worker.DependsOn = "third");
            services.AddResilientWorker("third", new Script().Make, static worker => worker.DependsOn = "first");
        });
        message.ShouldContain("first");
        message.ShouldContain("second");
        message.ShouldContain("third");
    }

    [Fact]
    public async Task Dependencies_InACircleByConfiguration_StopTheStartWithTheWholePath()
    {
        var message = await WorkerBench.FailToStartAsync("""{ "Workers": { "first": { "DependsOn": "second" }, "second": { "DependsOn": "first" } } }""", static services =>
        {
            services.AddResilientWorker("first", new Script().Make);
            services.AddResilientWorker("second", new Script().Make);
        });
        message.ShouldContain("DependsOn");
        message.ShouldContain("first");
        message.ShouldContain("second");
    }

    [Fact]
    public async Task Stop_OfAHostThatCouldNotStartForACircle_DoesNotThrow()
    {
        var bench = WorkerBench.Build("""{ "Workers": { "orders": { "DependsOn": "orders" } } }""", One);
        using var host = bench.Services.GetRequiredService<IHost>();
        (await Should.ThrowAsync<Exception>(() => host.StartAsync())).Message.ShouldContain("DependsOn");
        await Should.NotThrowAsync(() => host.StopAsync());
    }

    [Fact]
    public void Registration_Wrong_IsRefusedAtOnce()
    {
        var services = new ServiceCollection();
        services.AddResilientWorker("orders", new Script().Make);
        Should.Throw<ArgumentException>(() => services.AddResilientWorker("ORDERS", new Script().Make)).Message.ShouldContain("orders", Case.Insensitive);
        Should.Throw<ArgumentException>(() => services.AddResilientWorker("default", new Script().Make));
        Should.Throw<ArgumentException>(() => services.AddResilientWorker("", new Script().Make));
        Should.Throw<ArgumentException>(() => services.AddResilientWorker<NoWorker>("none")).Message.ShouldContain(nameof(NoWorker));
        Should.Throw<ArgumentException>(() => services.AddResilientWorker<PeriodicWorker>("abstract")).Message.ShouldContain(nameof(PeriodicWorker));
        Should.Throw<ArgumentNullException>(() => services.AddResilientWorker<IResilientWorker>("factory", (Func<IServiceProvider, IResilientWorker>)null!));
    }

    [Fact]
    public async Task Layers_Missing_StopTheStartAndNameTheCall()
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Services.AddResilientWorker("orders", new Script().Make);
        using var host = builder.Build();
        (await Should.ThrowAsync<Exception>(() => host.StartAsync())).ToString().ShouldContain("AddResilienceLayers");
    }

    [Fact]
    public async Task Reload_OfThresholds_IsInForceFromTheNextFailure()
    {
        var script = new Script();
        await using var bench = await WorkerBench.StartAsync("""{ "Workers": { "orders": { "MaxRestarts": 0, "RestartDelay": "00:00:00" } } }""", ("orders", script));
        var run = await script.NextAsync();
        bench.Configuration.Replace("""{ "Workers": { "orders": { "MaxRestarts": 1, "RestartDelay": "00:00:00" } } }""");
        run.Fail();
        run = await script.NextAsync();
        await bench.BecomesAsync("orders", WorkerState.Running);
        bench.Configuration.Replace("""{ "Workers": { "orders": { "MaxRestarts": 2, "RestartDelay": "00:00:00" } } }""");
        run.Fail();
        run = await script.NextAsync();
        bench.Configuration.Replace("""{ "Workers": { "orders": { "MaxRestarts": -7, "RestartDelay": "00:00:00" } } }""");
        run.Fail();
        await bench.BecomesAsync("orders", WorkerState.Failed);
        bench.Workers.Get("orders").Restarts.ShouldBe(2, "the last good configuration serves, and its count goes on");
    }

    [Fact]
    public async Task Configuration_AndCode_CodeRunsAfterIt()
    {
        var script = new Script();
        await using var bench = await WorkerBench.StartAsync("""{ "Workers": { "orders": { "MaxRestarts": 7, "Criticality": "Critical" } } }""", services =>
            services.AddResilientWorker("orders", script.Make, static worker => (worker.MaxRestarts, worker.OnGiveUp) = (0, GiveUpAction.Fail)));
        (await script.NextAsync()).Fail();
        await bench.BecomesAsync("orders", WorkerState.Failed);
        bench.Workers.Get("orders").Criticality.ShouldBe(Criticality.Critical);
        bench.IsStopping.ShouldBeFalse();
    }

    [Fact]
    public async Task Inherit_OfAnotherWorker_TakesItsValues()
    {
        var script = new Script();
        await using var bench = await WorkerBench.StartAsync(
            """{ "Workers": { "strict": { "MaxRestarts": 0 }, "orders": { "Inherit": "strict" } } }""", ("orders", script));
        (await script.NextAsync()).Fail();
        await bench.BecomesAsync("orders", WorkerState.Failed);
    }

    private sealed class NoWorker;
}
