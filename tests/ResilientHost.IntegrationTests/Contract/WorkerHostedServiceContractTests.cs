namespace ResilientHost.IntegrationTests.Contract;

/// <summary>Any background service is supervised without a change to it. Written from the contract alone.</summary>
public sealed class WorkerHostedServiceContractTests
{
    private const string Prompt = """{ "Workers": { "Default": { "RestartDelay": "00:00:00", "MaxRestarts": 3 } } }""";

    private static void Ignore(IServiceCollection services) =>
        services.Configure<HostOptions>(static options => options.BackgroundServiceExceptionBehavior = BackgroundServiceExceptionBehavior.Ignore);

    [Fact]
    public async Task BackgroundService_WithStartAndStopOfItsOwn_IsTheSameInstanceStartedAgain()
    {
        var service = new WithOwnStart();
        await using var bench = await WorkerBench.StartAsync(Prompt, services => services.AddHostedService(_ => service));
        await WorkerBench.EventuallyAsync(() => service.Runs == 3, "the third run");
        await bench.BecomesAsync(nameof(WithOwnStart), WorkerState.Running);
        bench.Workers.Get(nameof(WithOwnStart)).Restarts.ShouldBe(2);
        service.Starts.ShouldBe(3);
        await bench.StopAsync();
        service.HostStops.ShouldBe(1);
        service.HasEnded.ShouldBeTrue();
        bench.LogsAbout("own-1").Count.ShouldBe(1);
        bench.LogsAbout("own-2").Count.ShouldBeLessThanOrEqualTo(1, "a repeat of the first may be summed up");
    }

    [Fact]
    public async Task BackgroundService_GivenUpWhileTheHostIgnores_StaysFailedAndTheHostLives()
    {
        await using var bench = await WorkerBench.StartAsync(Prompt, static services =>
        {
            services.AddHostedService<Broken>();
            Ignore(services);
            services.AddHostedService<Sibling>();
        });
        await bench.BecomesAsync(nameof(Broken), WorkerState.Failed);
        bench.Workers.Get(nameof(Broken)).Restarts.ShouldBe(3);
        bench.Workers.Get(nameof(Sibling)).State.ShouldBe(WorkerState.Running);
        bench.IsStopping.ShouldBeFalse();
        bench.Logs.Entries.ShouldNotContain(static entry => entry.Category == "Microsoft.Extensions.Hosting.Internal.Host" && entry.Level >= LogLevel.Error);
    }

    [Fact]
    public async Task BackgroundService_ThatReturns_IsCompletedAndNotStartedAgain()
    {
        var service = new Returning();
        await using var bench = await WorkerBench.StartAsync(Prompt, services => services.AddHostedService(_ => service));
        await bench.BecomesAsync(nameof(Returning), WorkerState.Completed);
        await WorkerBench.BreatheAsync();
        service.Runs.ShouldBe(1);
    }

    [Fact]
    public async Task BackgroundServices_Twins_HaveNamesOfTheirOwn()
    {
        await using var bench = await WorkerBench.StartAsync(Prompt, static services =>
        {
            services.AddSingleton<IHostedService, Sibling>();
            services.AddSingleton<IHostedService, Sibling>();
            services.AddHostedService<Generic<int>>();
        });
        bench.Workers.Names.Count.ShouldBe(3);
        bench.Workers.Names.Distinct(StringComparer.OrdinalIgnoreCase).Count().ShouldBe(3);
        bench.Workers.Names.ShouldContain(nameof(Sibling));
        bench.Workers.Names.ShouldAllBe(static name => !name.Contains('`'));
    }

    [Fact]
    public async Task BackgroundService_ByTheNameOfItsType_IsConfigured()
    {
        await using var bench = await WorkerBench.StartAsync(
            """{ "Workers": { "Default": { "RestartDelay": "00:00:00" }, "Broken": { "MaxRestarts": 1, "OnGiveUp": "Fail" } } }""", static services => services.AddHostedService<Broken>());
        await bench.BecomesAsync(nameof(Broken), WorkerState.Failed);
        bench.Workers.Get(nameof(Broken)).Restarts.ShouldBe(1);
        bench.IsStopping.ShouldBeFalse();
    }

    [Fact]
    public async Task SuperviseHostedServices_Off_LeavesThemToTheHost()
    {
        await using var bench = await WorkerBench.StartAsync("""{ "Workers": { "SuperviseHostedServices": false } }""", static services =>
        {
            services.AddHostedService<Broken>();
            Ignore(services);
        });
        await WorkerBench.EventuallyAsync(() => bench.LogsAbout("beyond repair").Count > 0, "the host's own entry");
        bench.Workers.Names.ShouldBeEmpty();
    }

    [Fact]
    public async Task KillSwitch_Off_FailureHasTheOutcomeItHasWithoutTheSuite()
    {
        await using var bench = await WorkerBench.StartAsync("""{ "Workers": { "Enabled": false, "Default": { "RestartDelay": "00:00:00" } } }""", static services =>
        {
            services.AddHostedService<Broken>();
            services.AddHostedService<Sibling>();
            Ignore(services);
        });
        await WorkerBench.EventuallyAsync(() => bench.LogsAbout("beyond repair").Count > 0, "an entry");
        await WorkerBench.BreatheAsync();
        bench.Workers.All.ShouldAllBe(static worker => worker.Restarts == 0);
        bench.IsStopping.ShouldBeFalse();
    }

    [Fact]
    public async Task SuiteOff_Always_StartsNothingAgain()
    {
        var script = new Script();
        await using var bench = await WorkerBench.StartAsync("""{ "Enabled": false }""", ("a", script));
        (await script.NextAsync()).Fail();
        await bench.BecomesAsync("a", WorkerState.Failed);
        script.Made.ShouldBe(1);
    }

    [Fact]
    public async Task KillSwitch_Reloaded_IsInForceFromTheNextFailure()
    {
        var script = new Script();
        await using var bench = await WorkerBench.StartAsync(Prompt, ("a", script));
        (await script.NextAsync()).Fail();
        var run = await script.NextAsync();
        bench.Configuration.Replace("""{ "Workers": { "Enabled": false, "Default": { "RestartDelay": "00:00:00", "MaxRestarts": 3 } } }""");
        run.Fail();
        await bench.BecomesAsync("a", WorkerState.Failed);
        script.Made.ShouldBe(2);
    }

    [Fact]
    public async Task RegisteredBackgroundService_Always_HasAnInstancePerRunAndItsContext()
    {
        var made = new List<Registered>();
        await using var bench = await WorkerBench.StartAsync(Prompt, services => services.AddResilientWorker("r", provider =>
        {
            var instance = new Registered(provider.GetRequiredService<WorkerContext>(), made.Count);
            made.Add(instance);
            return instance;
        }));
        await WorkerBench.EventuallyAsync(() => made.Count == 2 && bench.Workers.Get("r").State == WorkerState.Running, "the second run");
        bench.Workers.Names.ShouldBe(["r"]);
        await bench.StopAsync();
        made.Select(static one => one.Stops).ShouldBe([1, 1]);
        made.ShouldAllBe(static one => one.IsDisposed);
    }

    [Fact]
    public async Task TwoHosts_OfOneProcess_KnowNothingOfEachOther()
    {
        var (one, two) = (new Script(), new Script());
        await using var first = await WorkerBench.StartAsync(Prompt, ("a", one));
        await using var second = await WorkerBench.StartAsync(Prompt, ("a", two));
        var calm = await two.NextAsync();
        for (var i = 0; i < 4; i++)
        {
            (await one.NextAsync()).Fail();
        }

        await first.BecomesAsync("a", WorkerState.Failed);
        (second.Workers.Get("a").State, second.Workers.Get("a").Restarts, calm.Stopping.IsCancellationRequested).ShouldBe((WorkerState.Running, 0, false));
        second.Metrics.Sum(ResilienceDiagnostics.Instruments.WorkerRestarts).ShouldBe(0);
        await first.StopAsync();
        calm.Stopping.IsCancellationRequested.ShouldBeFalse();
    }

    [Fact]
    public async Task Restarts_AndStates_AreMeasured()
    {
        var script = new Script();
        await using var bench = await WorkerBench.StartAsync(Prompt, ("a", script));
        (await script.NextAsync()).Fail();
        await script.NextAsync();
        await bench.BecomesAsync("a", WorkerState.Running);
        bench.Metrics.Sum(ResilienceDiagnostics.Instruments.WorkerRestarts, (ResilienceDiagnostics.Tags.WorkerName, "a"), (ResilienceDiagnostics.Tags.WorkerCause, "failure")).ShouldBe(1);
        bench.Metrics.RecordObservableInstruments();
        var series = bench.Metrics.Of(ResilienceDiagnostics.Instruments.WorkerState, (ResilienceDiagnostics.Tags.WorkerName, "a"));
        series.Count.ShouldBe(Enum.GetValues<WorkerState>().Length);
        series.Single(static one => one.Value > 0).Tags[ResilienceDiagnostics.Tags.WorkerState].ShouldBe("running");
    }

    [Fact]
    public async Task Stop_SynchronousStopOfABackgroundServiceHangs_HostStillEndsInTime()
    {
        using var block = new ManualResetEventSlim();
        await using var bench = await WorkerBench.StartAsync(
            """{ "Workers": { "Default": { "StopTimeout": "00:00:00.200" } } }""", services => services.AddResilientWorker("hanging", _ => new HangingStop(block)), hasManualTime: false);
        await bench.BecomesAsync("hanging", WorkerState.Running);
        var stop = Task.Run(bench.StopAsync);
        (await Task.WhenAny(stop, Task.Delay(TimeSpan.FromSeconds(8)))).ShouldBe(stop);
        block.Set();
    }

    [Fact]
    public async Task PauseAt_OfABackgroundService_StopsItAndStartsItAgainWithoutCountingARestart()
    {
        await using var bench = await WorkerBench.StartAsync(
            $$"""{ "Degradation": { "Mode": "Enforce", {{Levels.Prompt}} }, "Workers": { "Sibling": { "PauseAt": "Reduced" } } }""", static services => services.AddHostedService<Sibling>());
        var level = bench.Services.GetRequiredService<IServiceLevel>();
        level.Override(ServiceLevel.Reduced, TimeSpan.FromHours(1), "test");
        await bench.BecomesAsync(nameof(Sibling), WorkerState.Paused);
        level.Override(ServiceLevel.Normal, TimeSpan.FromHours(1), "test");
        await bench.BecomesAsync(nameof(Sibling), WorkerState.Running);
        (bench.Workers.Get(nameof(Sibling)).Restarts, bench.Workers.Get(nameof(Sibling)).LastFailure).ShouldBe((0, null));
    }

    [Fact]
    public async Task Factory_ThatReturnsNull_IsAFailureOfTheRun()
    {
        await using var bench = await WorkerBench.StartAsync(
            """{ "Workers": { "Default": { "MaxRestarts": 1, "RestartDelay": "00:00:00" } } }""", static services => services.AddResilientWorker<IResilientWorker>("null", static _ => NoWorker()!));
        await bench.BecomesAsync("null", WorkerState.Failed);
        bench.IsStopping.ShouldBeFalse();
    }

    [Fact]
    public async Task Worker_ThatReturnsNoTask_IsAFailureOfTheRun()
    {
        await using var bench = await WorkerBench.StartAsync(
            """{ "Workers": { "Default": { "MaxRestarts": 1, "RestartDelay": "00:00:00" } } }""", static services => services.AddResilientWorker("null", static _ => new Taskless()));
        await bench.BecomesAsync("null", WorkerState.Failed);
        bench.Workers.Get("null").LastFailure.ShouldNotBeNull();
    }

    [Fact]
    public async Task ConcurrentStartAndStop_OfServices_KeepsTheOrderOfDependencies()
    {
        var told = new List<string>();
        Script Make(string name) => new()
        {
            Tell = what =>
            {
                lock (told)
                {
                    told.Add($"{what} {name}");
                }
            },
        };
        await using var bench = await WorkerBench.StartAsync("{}", services =>
        {
            services.Configure<HostOptions>(static options => options.ServicesStartConcurrently = options.ServicesStopConcurrently = true);
            services.AddResilientWorker("w0", Make("w0").Make, static worker => worker.DependsOn = "w1, w2");
            services.AddResilientWorker("w1", Make("w1").Make, static worker => worker.DependsOn = "w3");
            services.AddResilientWorker("w2", Make("w2").Make, static worker => worker.DependsOn = "W3");
            services.AddResilientWorker("w3", Make("w3").Make);
        });
        await WorkerBench.EventuallyAsync(
            () =>
            {
                lock (told)
                {
                    return told.Count == 4;
                }
            },
            "four starts");
        await bench.StopAsync();
        bench.Workers.All.ShouldAllBe(static worker => worker.State == WorkerState.Stopped);
        await WorkerBench.EventuallyAsync(() => bench.Transitions.Count(static transition => transition.To == WorkerState.Stopped) == 4, "four ends told");
        string[] ends = [.. bench.Transitions.Where(static transition => transition.To == WorkerState.Stopped).Select(static transition => transition.Name)];
        ends[0].ShouldBe("w0");
        ends[^1].ShouldBe("w3");
        told.Count.ShouldBe(8);
    }

    private static IResilientWorker? NoWorker() => new List<IResilientWorker>().Find(static _ => true);

    private sealed class Taskless : IResilientWorker
    {
        public Task RunAsync(WorkerContext context, CancellationToken stoppingToken) => new List<Task>().Find(static _ => true)!;
    }

    private sealed class HangingStop(ManualResetEventSlim block) : BackgroundService
    {
        public override Task StopAsync(CancellationToken cancellationToken)
        {
            block.Wait(CancellationToken.None);
            return Task.CompletedTask;
        }

        protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.Delay(Timeout.Infinite, stoppingToken);
    }

    private class Sibling : BackgroundService
    {
        protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.Delay(Timeout.Infinite, stoppingToken);
    }

    private sealed class Generic<T> : Sibling;

    private sealed class Broken : BackgroundService
    {
        protected override async Task ExecuteAsync(CancellationToken stoppingToken)
        {
            await Task.Yield();
            throw new InvalidOperationException("beyond repair");
        }
    }

    private sealed class Returning : BackgroundService
    {
        public int Runs { get; private set; }

        protected override Task ExecuteAsync(CancellationToken stoppingToken)
        {
            Runs++;
            return Task.CompletedTask;
        }
    }

    private sealed class WithOwnStart : BackgroundService
    {
        private int _starts;
        private int _runs;
        private int _hostStops;

        public int Starts => Volatile.Read(ref _starts);

        public int Runs => Volatile.Read(ref _runs);

        public int HostStops => Volatile.Read(ref _hostStops);

        public bool HasEnded { get; private set; }

        public override async Task StartAsync(CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref _starts);
            await Task.Yield();
            await base.StartAsync(cancellationToken);
        }

        public override async Task StopAsync(CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref _hostStops);
            await base.StopAsync(cancellationToken);
            HasEnded = ExecuteTask is { IsCompleted: true };
        }

        protected override async Task ExecuteAsync(CancellationToken stoppingToken)
        {
            var run = Interlocked.Increment(ref _runs);
            await Task.Yield();
            if (run < 3)
            {
                throw new InvalidOperationException($"own-{run}");
            }

            await Task.Delay(Timeout.Infinite, stoppingToken);
        }
    }

    private sealed class Registered(WorkerContext context, int number) : BackgroundService
    {
        public int Stops { get; private set; }

        public bool IsDisposed { get; private set; }

        public override void Dispose()
        {
            IsDisposed = true;
            base.Dispose();
        }

        public override Task StopAsync(CancellationToken cancellationToken)
        {
            Stops++;
            return base.StopAsync(cancellationToken);
        }

        protected override async Task ExecuteAsync(CancellationToken stoppingToken)
        {
            context.Heartbeat("alive");
            if (number == 0)
            {
                throw new InvalidOperationException("first instance");
            }

            await Task.Delay(Timeout.Infinite, stoppingToken);
        }
    }
}
