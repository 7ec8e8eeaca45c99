using System.Diagnostics;
using ResilientHost.IntegrationTests.Workers;

namespace ResilientHost.IntegrationTests.Contract;

/// <summary>The order and the limits of stopping, and exit codes. Written from the contract alone.</summary>
public sealed class ShutdownContractTests
{
    [Fact]
    public async Task Stop_Workers_EndInReverseOrderOfDependencyAndTasksAfterThem()
    {
        var told = new List<string>();
        Script Make(string name) => new() { Tell = what => Tell($"{what} {name}") };
        void Tell(string what)
        {
            lock (told)
            {
                told.Add(what);
            }
        }

        var (a, b, c) = (Make("a"), Make("b"), Make("c"));
        await using var bench = await WorkerBench.StartAsync("""{ "Workers": { "a": { "DependsOn": "c" } } }""", ("a", a), ("b", b), ("c", c));
        await Task.WhenAll(a.NextAsync(), b.NextAsync(), c.NextAsync());
        await WorkerBench.EventuallyAsync(() => bench.Transitions.Count == 3, "three starts told");
        bench.Transitions.Select(static transition => transition.Name).ShouldBe(["c", "a", "b"]);
        var task = bench.Services.GetRequiredService<IIsolatedTasks>().Run("t", async token =>
        {
            await WorkerBench.EventuallyAsync(() => bench.Workers.All.All(static worker => worker.State == WorkerState.Stopped), "workers stopped");
            Tell("task");
        });
        told.Clear();
        await bench.StopAsync();
        told.Order().ShouldBe(["stop a", "stop b", "stop c", "task"]);
        told.IndexOf("stop a").ShouldBeLessThan(told.IndexOf("stop c"));
        told[^1].ShouldBe("task");
        (await task).ShouldBe(CallOutcome.Succeeded);
    }

    [Fact]
    public async Task Stop_HungWorker_IsNamedAndTheOthersStillStop()
    {
        var (hung, calm) = (new Script { IsStubborn = true }, new Script());
        await using var bench = await WorkerBench.StartAsync("""{ "Workers": { "hung": { "StopTimeout": "00:00:00.200" } } }""", services =>
        {
            services.AddResilientWorker("calm", calm.Make);
            services.AddResilientWorker("hung", hung.Make);
        }, hasManualTime: false);
        var run = await hung.NextAsync();
        await calm.NextAsync();
        await bench.StopAsync();
        bench.Workers.Get("calm").State.ShouldBe(WorkerState.Stopped);
        bench.Logs.Entries.ShouldContain(static entry => entry.Level >= LogLevel.Warning && entry.Message.Contains("'hung'", StringComparison.Ordinal));
        bench.Workers.Get("hung").Abandoned.ShouldBe(1);
        run.Return();
    }

    [Fact]
    public async Task Stop_ManyHungWorkers_EndsWithinTheHostsLimit()
    {
        await using var bench = await WorkerBench.StartAsync("""{ "Workers": { "Default": { "StopTimeout": "00:00:10" } } }""", static services =>
        {
            services.Configure<HostOptions>(static options => options.ShutdownTimeout = TimeSpan.FromMilliseconds(700));
            for (var i = 0; i < 5; i++)
            {
                services.AddResilientWorker($"hung{i}", new Script { IsStubborn = true }.Make);
            }
        }, hasManualTime: false);
        var watch = Stopwatch.StartNew();
        try
        {
            await bench.StopAsync();
        }
        catch (Exception exception) when (exception is OperationCanceledException or AggregateException)
        {
            // The host says in its own way that its limit is over.
        }

        watch.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(5));
        for (var i = 0; i < 5; i++)
        {
            bench.Logs.Entries.ShouldContain(entry => entry.Level >= LogLevel.Warning && entry.Message.Contains($"hung{i}", StringComparison.Ordinal), $"hung{i}");
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Start_WorkerBlocksItsThread_HostStartsAndStopsInTime(bool inConstructor)
    {
        using var block = new ManualResetEventSlim();
        var script = new Script();
        if (inConstructor)
        {
            script.InConstructor = _ =>
            {
                block.Wait();
                return null;
            };
        }
        else
        {
            script.AtOnce = _ => block.Wait();
        }

        var start = WorkerBench.StartAsync(
            """{ "Workers": { "Default": { "StopTimeout": "00:00:00.200" } } }""", services => services.AddResilientWorker("blocked", script.Make), hasManualTime: false);
        (await Task.WhenAny(start, Task.Delay(TimeSpan.FromSeconds(8)))).ShouldBe(start, "the start waits for nothing that a worker does");
        await using var bench = await start;
        await WorkerBench.EventuallyAsync(() => script.Made == 1, "begun");
        await bench.StopAsync();
        bench.Logs.Entries.ShouldContain(static entry => entry.Level >= LogLevel.Warning && entry.Message.Contains("'blocked'", StringComparison.Ordinal));
        block.Set();
    }

    [Fact]
    public async Task Stop_WithATokenThatIsCancelled_EndsAtOnceAndNamesWhatRuns()
    {
        var script = new Script { IsStubborn = true };
        await using var bench = await WorkerBench.StartAsync("{}", services => services.AddResilientWorker("hung", script.Make), hasManualTime: false);
        var run = await script.NextAsync();
        var stop = bench.Services.GetRequiredService<IHost>().StopAsync(new CancellationToken(canceled: true)).ContinueWith(static _ => { }, TaskScheduler.Default);
        (await Task.WhenAny(stop, Task.Delay(TimeSpan.FromSeconds(5)))).ShouldBe(stop);
        run.Stopping.IsCancellationRequested.ShouldBeTrue("a worker is asked to stop, however little time there is");
        run.Return();
    }

    [Fact]
    public async Task Context_OfARunThatHasEnded_BeginsNothing()
    {
        var script = new Script();
        await using var bench = await WorkerBench.StartAsync("""{ "Workers": { "Default": { "RestartDelay": "00:00:00" } } }""", ("a", script));
        var run = await script.NextAsync();
        run.Fail();
        await script.NextAsync();
        await Should.ThrowAsync<OperationCanceledException>(async () => await run.Context.RunIterationAsync("late", static _ => Task.CompletedTask));
        run.Context.Heartbeat("late");
        bench.Workers.Get("a").LastActivity.ShouldBeNull();
    }

    [Fact]
    public async Task Stop_FailureMeanwhile_RestartsNobody()
    {
        var script = new Script { IsStubborn = true };
        await using var bench = await WorkerBench.StartAsync("""{ "Workers": { "Default": { "RestartDelay": "00:00:00", "Restart": "Permanent" } } }""", ("a", script));
        var run = await script.NextAsync();
        var stop = bench.StopAsync();
        await WorkerBench.EventuallyAsync(() => run.Stopping.IsCancellationRequested, "asked to stop");
        run.Fail("at the last moment");
        await stop;
        script.Made.ShouldBe(1);
        bench.Workers.Get("a").Restarts.ShouldBe(0);
        bench.Workers.Restart("a");
        await WorkerBench.BreatheAsync();
        script.Made.ShouldBe(1, "nothing is started by hand once the host stops");
    }

    [Fact]
    public async Task ReadinessDelay_Stopping_RequestsAreServedWhileReadinessIsOff()
    {
        await using var service = await TestService.StartAsync(
            app =>
            {
                app.MapGet("/work", () => "done");
                app.MapResilienceHealth();
            },
            """{ "Shutdown": { "ReadinessDelay": "00:00:01.500" } }""");
        (await service.StatusOfAsync("/health/ready")).ShouldBe(200);
        var stop = service.Services.GetRequiredService<IHost>().StopAsync();
        await TestService.EventuallyAsync(async () => await service.StatusOfAsync("/health/ready") == 503, "not ready");
        (await service.StatusOfAsync("/work")).ShouldBe(200);
        (await service.StatusOfAsync("/health/live")).ShouldBe(200);
        await stop.WaitAsync(TestService.Patience);
    }

    [Fact]
    public async Task StopHost_OfACriticalWorker_EndsTheProcessWithItsExitCode()
    {
        await using var process = WorkerProcess.Start(
            "generic layers broken-worker", ("Resilience:Workers:broken:Criticality", "Critical"), ("Resilience:Workers:broken:MaxRestarts", "2"));
        (await process.ExitCodeAsync()).ShouldBe(ResilienceDiagnostics.GaveUpExitCode);
    }
}
