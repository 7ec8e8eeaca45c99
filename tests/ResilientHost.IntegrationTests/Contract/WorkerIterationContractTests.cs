using System.Diagnostics;

namespace ResilientHost.IntegrationTests.Contract;

/// <summary>Iterations, periodic workers, pauses. Written from the contract alone.</summary>
public sealed class WorkerIterationContractTests
{
    private const string Prompt = """{ "Workers": { "Default": { "RestartDelay": "00:00:00" } } }""";

    private static Task? NoTask() => new List<Task>().Find(static _ => true);

    private static Task Throwing(CancellationToken token) => throw new InvalidOperationException("pass-flaw");

    [Fact]
    public async Task Iteration_Failing_IsIsolatedObservedAndTheRunGoesOn()
    {
        using var spans = new ActivityRecorder(ResilienceDiagnostics.ActivitySourceName);
        var script = new Script();
        await using var bench = await WorkerBench.StartAsync(Prompt, ("iterating", script));
        var run = await script.NextAsync();
        using var ambient = new Activity("ambient").Start();
        (await run.Context.RunIterationAsync("poll", Throwing, run.Stopping)).ShouldBe(CallOutcome.Failed);
        (await run.Context.RunIterationAsync("poll", static async _ => { await Task.Yield(); throw new FormatException("pass-flaw-2"); }, run.Stopping)).ShouldBe(CallOutcome.Failed);
        (await run.Context.RunIterationAsync("poll", static _ => Task.FromCanceled(new CancellationToken(canceled: true)), run.Stopping)).ShouldBe(CallOutcome.Failed);
        (await run.Context.RunIterationAsync("poll", static _ => Task.CompletedTask, run.Stopping)).ShouldBe(CallOutcome.Succeeded);

        (bench.Workers.Get("iterating").State, bench.Workers.Get("iterating").Restarts).ShouldBe((WorkerState.Running, 0));
        bench.LogsAbout("pass-flaw-2").Count.ShouldBe(1);
        foreach (var (outcome, count) in new[] { ("failed", 3), ("succeeded", 1) })
        {
            bench.Metrics.Of(
                ResilienceDiagnostics.Instruments.WorkerIterationDuration,
                (ResilienceDiagnostics.Tags.WorkerName, "iterating"),
                (ResilienceDiagnostics.Tags.Iteration, "poll"),
                (ResilienceDiagnostics.Tags.Outcome, outcome)).Count.ShouldBe(count, outcome);
        }

        Activity[] own = [.. spans.Finished.Where(static span => span.OperationName == "resilient_host.worker.iteration" && span.TagObjects.Any(static tag => tag.Value is "iterating"))];
        own.Length.ShouldBe(4);
        own.ShouldAllBe(span => span.ParentId == null && span.TraceId != ambient.TraceId);
        own.Select(static span => span.TraceId).Distinct().Count().ShouldBe(4);
        own.Count(static span => span.Status == ActivityStatusCode.Error).ShouldBe(3);
        Activity.Current.ShouldBe(ambient);
    }

    [Fact]
    public async Task Iteration_AfterAFailure_WaitsSoThatNoLoopSpins()
    {
        var script = new Script();
        await using var bench = await WorkerBench.StartAsync(
            """{ "Workers": { "Default": { "RestartDelay": "00:00:01", "RestartBackoff": 2, "RestartJitter": 0 } } }""", ("a", script));
        var run = await script.NextAsync();
        await run.Context.RunIterationAsync("poll", Throwing, run.Stopping);
        var idle = bench.Time.ArmedTimers;
        foreach (var seconds in (int[])[1, 2, 4])
        {
            var next = run.Context.RunIterationAsync("poll", Throwing, run.Stopping).AsTask();
            await WorkerBench.EventuallyAsync(() => bench.Time.ArmedTimers > idle, "the pass waits");
            bench.Time.Advance(TimeSpan.FromSeconds(seconds) - TimeSpan.FromTicks(1));
            await WorkerBench.BreatheAsync();
            next.IsCompleted.ShouldBeFalse($"{seconds} s");
            bench.Time.Advance(TimeSpan.FromTicks(1));
            (await next.WaitAsync(TestService.Patience)).ShouldBe(CallOutcome.Failed);
        }

        var other = await run.Context.RunIterationAsync("another", static _ => Task.CompletedTask, run.Stopping).AsTask().WaitAsync(TestService.Patience);
        other.ShouldBe(CallOutcome.Succeeded, "the delay is of that name");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Loop_OfIterations_EndsWithTheHostWhetherItLooksAtItsTokenOrNot(bool looks)
    {
        await using var bench = await WorkerBench.StartAsync(Prompt, services => services.AddResilientWorker("a", _ => new Looping(looks)), hasManualTime: false);
        await bench.BecomesAsync("a", WorkerState.Running);
        await bench.StopAsync();
        bench.Workers.Get("a").State.ShouldBe(WorkerState.Stopped);
        bench.Workers.Get("a").LastFailure.ShouldBeNull();
    }

    [Fact]
    public async Task Circuit_Open_PausesUntilItHalfOpensAndNothingSpins()
    {
        var script = new Script();
        await using var bench = await WorkerBench.StartAsync(
            """
            {
              "CircuitBreakers": { "warehouse": { "ConsecutiveFailures": 2, "BreakDuration": "00:00:10", "BreakJitter": 0, "HalfOpenProbes": 1 } },
              "Workers": { "Default": { "RestartDelay": "00:00:00", "CircuitBreaker": "warehouse" } }
            }
            """, ("a", script));
        var run = await script.NextAsync();
        await run.Context.RunIterationAsync("poll", Throwing, run.Stopping);
        await run.Context.RunIterationAsync("poll", Throwing, run.Stopping);
        var calls = 0;
        var next = run.Context.RunIterationAsync("poll", _ => Task.FromResult(++calls), run.Stopping).AsTask();
        await bench.BecomesAsync("a", WorkerState.Paused);
        await bench.ToldAsync(static transition => transition is { To: WorkerState.Paused, Cause: WorkerTransitionCause.Circuit }, "paused by the circuit");
        bench.Time.Advance(TimeSpan.FromSeconds(9));
        await WorkerBench.BreatheAsync();
        (next.IsCompleted, calls).ShouldBe((false, 0));
        var refused = bench.Services.GetRequiredService<CircuitBreakerRegistry>().Get("warehouse").Snapshot().Refused;
        refused.ShouldBeLessThanOrEqualTo(2, "a waiting worker must not knock at the door again and again");
        await WorkerBench.EventuallyAsync(
            () =>
            {
                bench.Time.Advance(TimeSpan.FromMilliseconds(200));
                return next.IsCompleted;
            },
            "half-open");
        (await next, calls).ShouldBe((CallOutcome.Succeeded, 1));
        await bench.BecomesAsync("a", WorkerState.Running);
    }

    [Fact]
    public async Task Circuit_IsolatedByHand_StopStillEndsTheWorker()
    {
        var script = new Script();
        await using var bench = await WorkerBench.StartAsync(
            """{ "CircuitBreakers": { "warehouse": {} }, "Workers": { "Default": { "CircuitBreaker": "warehouse" } } }""", ("a", script));
        var run = await script.NextAsync();
        bench.Services.GetRequiredService<CircuitBreakerRegistry>().Get("warehouse").Isolate();
        var next = run.Context.RunIterationAsync("poll", static _ => Task.CompletedTask, run.Stopping).AsTask();
        await bench.BecomesAsync("a", WorkerState.Paused);
        await bench.StopAsync();
        await next.ShouldThrowAsync<OperationCanceledException>();
        bench.Workers.Get("a").State.ShouldBe(WorkerState.Stopped);
    }

    [Fact]
    public async Task Bulkhead_SharedByWorkers_BoundsTheirIterations()
    {
        var (one, two) = (new Script(), new Script());
        await using var bench = await WorkerBench.StartAsync(
            """{ "Bulkheads": { "db": { "MaxConcurrency": 1, "QueueLength": 10, "QueueTimeout": "00:10:00" } }, "Workers": { "Default": { "Bulkhead": "db" } } }""", ("a", one), ("b", two));
        var (a, b) = (await one.NextAsync(), await two.NextAsync());
        var gate = new Gate();
        var first = a.Context.RunIterationAsync("poll", gate.PassAsync, a.Stopping).AsTask();
        await gate.ArrivalAsync();
        var ran = false;
        var second = b.Context.RunIterationAsync("poll", _ => Task.FromResult(ran = true), b.Stopping).AsTask();
        await WorkerBench.BreatheAsync();
        ran.ShouldBeFalse();
        gate.Open();
        (await first, await second.WaitAsync(TestService.Patience)).ShouldBe((CallOutcome.Succeeded, CallOutcome.Succeeded));
    }

    [Theory]
    [InlineData("Sheddable", ServiceLevel.Reduced, true)]
    [InlineData("Default", ServiceLevel.Essential, false)]
    [InlineData("Default", ServiceLevel.Survival, true)]
    [InlineData("Critical", ServiceLevel.Survival, false)]
    public async Task ServiceLevel_ThatSaysSo_PausesWorkersByTheirCriticality(string criticality, ServiceLevel level, bool isPaused)
    {
        var script = new Script();
        await using var bench = await WorkerBench.StartAsync(
            $$"""{ "Degradation": { "Mode": "Enforce", {{Levels.Prompt}} }, "Workers": { "Default": { "Criticality": "{{criticality}}" } } }""", ("a", script));
        var run = await script.NextAsync();
        var serviceLevel = bench.Services.GetRequiredService<IServiceLevel>();
        serviceLevel.Override(level, TimeSpan.FromHours(1), "test");
        await WorkerBench.EventuallyAsync(() => serviceLevel.Current == level, $"{level}");
        var next = run.Context.RunIterationAsync("poll", static _ => Task.CompletedTask, run.Stopping).AsTask();
        if (isPaused)
        {
            await bench.BecomesAsync("a", WorkerState.Paused);
            next.IsCompleted.ShouldBeFalse();
            await bench.ToldAsync(static transition => transition.Cause == WorkerTransitionCause.ServiceLevel, "paused by the level");
            serviceLevel.Override(ServiceLevel.Normal, TimeSpan.FromHours(1), "test");
        }

        (await next.WaitAsync(TestService.Patience)).ShouldBe(CallOutcome.Succeeded);
        await bench.BecomesAsync("a", WorkerState.Running);
    }

    [Fact]
    public async Task KillSwitch_Off_IterationThrowsWhatItThrows()
    {
        var script = new Script();
        await using var bench = await WorkerBench.StartAsync("""{ "Workers": { "Enabled": false } }""", ("a", script));
        var run = await script.NextAsync();
        await Should.ThrowAsync<InvalidOperationException>(() => run.Context.RunIterationAsync("poll", Throwing, run.Stopping).AsTask());
    }

    [Fact]
    public async Task Iteration_WrongArguments_AreRefused()
    {
        var script = new Script();
        await using var bench = await WorkerBench.StartAsync(Prompt, ("a", script));
        var run = await script.NextAsync();
        await Should.ThrowAsync<ArgumentException>(async () => await run.Context.RunIterationAsync(" ", static _ => Task.CompletedTask, run.Stopping));
        await Should.ThrowAsync<ArgumentNullException>(async () => await run.Context.RunIterationAsync("poll", null!, run.Stopping));
        (await run.Context.RunIterationAsync("null-task", static _ => NoTask()!, run.Stopping)).ShouldBe(CallOutcome.Failed, "a handler that returns no task has failed");
    }

    [Fact]
    public async Task PeriodicWorker_Late_KeepsItsScheduleAndLeavesOutWhatItMissed()
    {
        var ticks = new List<double>();
        var gate = new Gate();
        var time = default(ManualTimeProvider);
        var started = 0L;
        await using var bench = await WorkerBench.StartAsync(Prompt, services => services.AddResilientWorker("a", provider =>
        {
            time = (ManualTimeProvider)provider.GetRequiredService<TimeProvider>();
            started = time.GetTimestamp();
            return new Ticking(TimeSpan.FromSeconds(10), _ =>
            {
                int count;
                lock (ticks)
                {
                    ticks.Add(time.GetElapsedTime(started).TotalSeconds);
                    count = ticks.Count;
                }

                return count switch { 1 => gate.PassAsync(CancellationToken.None), 3 => Task.FromException(new InvalidOperationException("tick-flaw")), _ => Task.CompletedTask };
            });
        }));
        int Count()
        {
            lock (ticks)
            {
                return ticks.Count;
            }
        }

        await bench.BecomesAsync("a", WorkerState.Running);
        await WorkerBench.BreatheAsync();
        Count().ShouldBe(0);
        bench.Time.Advance(TimeSpan.FromSeconds(10));
        await gate.ArrivalAsync();
        bench.Time.Advance(TimeSpan.FromSeconds(25)); // 35: two are missed
        gate.Open();
        await WorkerBench.BreatheAsync();
        Count().ShouldBe(1, "late ticks are never bunched");
        foreach (var (advance, count) in new[] { (5, 2), (10, 3), (10, 4), (10, 5) })
        {
            bench.Time.Advance(TimeSpan.FromSeconds(advance));
            await WorkerBench.EventuallyAsync(() => Count() == count, $"tick {count}");
            await WorkerBench.BreatheAsync();
        }

        ticks.ShouldBe([10, 40, 50, 60, 70]);
        bench.Workers.Get("a").Restarts.ShouldBe(0);
        bench.Metrics.Of(ResilienceDiagnostics.Instruments.WorkerIterationDuration, (ResilienceDiagnostics.Tags.Iteration, "tick")).Count.ShouldBe(5);
    }

    [Fact]
    public async Task PeriodicWorker_Waiting_IsNotStuck()
    {
        var gate = new Gate();
        await using var bench = await WorkerBench.StartAsync("""{ "Workers": { "Default": { "HeartbeatTimeout": "00:00:00.050" } } }""", services =>
            services.AddResilientWorker("a", _ => new Ticking(TimeSpan.FromHours(1), gate.PassAsync)));
        await bench.BecomesAsync("a", WorkerState.Running);
        await WorkerBench.BreatheAsync();
        for (var i = 0; i < 5; i++)
        {
            bench.Time.Advance(TimeSpan.FromMinutes(11));
            await WorkerBench.BreatheAsync();
        }

        bench.Workers.Get("a").State.ShouldBe(WorkerState.Running);
        bench.Time.Advance(TimeSpan.FromMinutes(11));
        await gate.ArrivalAsync();
        bench.Time.Advance(TimeSpan.FromSeconds(1));
        await bench.BecomesAsync("a", WorkerState.Stuck);
        gate.Open();
        await bench.BecomesAsync("a", WorkerState.Running);
    }

    private sealed class Looping(bool looks) : IResilientWorker
    {
        public async Task RunAsync(WorkerContext context, CancellationToken stoppingToken)
        {
            while (!looks || !stoppingToken.IsCancellationRequested)
            {
                await context.RunIterationAsync("poll", static token => Task.Delay(1, token), stoppingToken);
            }
        }
    }

    private sealed class Ticking(TimeSpan period, Func<CancellationToken, Task> tick) : PeriodicWorker(period)
    {
        protected override Task RunIterationAsync(WorkerContext context, CancellationToken stoppingToken) => tick(stoppingToken);
    }
}
