namespace ResilientHost.IntegrationTests.Contract;

/// <summary>Heartbeats and what is done about their absence. Written from the contract alone.</summary>
public sealed class WorkerStuckContractTests
{
    private static string Watched(string more = "") => $$"""
        { "Workers": { "Default": { "HeartbeatTimeout": "00:00:00.100", "RestartDelay": "00:00:00", "StopTimeout": "00:00:05" {{more}} } } }
        """;

    [Fact]
    public async Task Silence_BeyondItsTimeout_IsToldWithHowLongAndWhatItDidLast()
    {
        var script = new Script();
        await using var bench = await WorkerBench.StartAsync(Watched(), ("a", script));
        var run = await script.NextAsync();
        run.Context.Heartbeat("reading mail");
        bench.Time.Advance(TimeSpan.FromSeconds(42));
        await bench.BecomesAsync("a", WorkerState.Stuck);
        await bench.ToldAsync(static transition => transition.To == WorkerState.Stuck, "stuck");
        var told = bench.Transitions.Single(static transition => transition.To == WorkerState.Stuck);
        told.Cause.ShouldBe(WorkerTransitionCause.Silence);
        told.Detail.ShouldNotBeNull().ShouldContain("reading mail");
        told.Detail.ShouldContain("42");
        bench.Logs.Entries.ShouldContain(static entry => entry.Level >= LogLevel.Warning && entry.Message.Contains("reading mail", StringComparison.Ordinal));
        bench.Workers.Get("a").LastActivity.ShouldBe("reading mail");
        run.Context.Heartbeat();
        await bench.BecomesAsync("a", WorkerState.Running);
        await bench.ToldAsync(static transition => transition is { From: WorkerState.Stuck, Cause: WorkerTransitionCause.Heartbeat }, "heard again");
        bench.Workers.Get("a").Restarts.ShouldBe(0);
        run.Stopping.IsCancellationRequested.ShouldBeFalse();
    }

    [Fact]
    public async Task Silence_InAnIteration_NamesIt()
    {
        var script = new Script();
        var gate = new Gate();
        await using var bench = await WorkerBench.StartAsync(Watched(), ("a", script));
        var run = await script.NextAsync();
        var pass = run.Context.RunIterationAsync("import", gate.PassAsync, run.Stopping).AsTask();
        await gate.ArrivalAsync();
        bench.Time.Advance(TimeSpan.FromSeconds(1));
        await bench.BecomesAsync("a", WorkerState.Stuck);
        bench.Transitions.Count.ShouldBeGreaterThan(0);
        await bench.ToldAsync(static transition => transition.To == WorkerState.Stuck && transition.Detail!.Contains("import", StringComparison.Ordinal), "stuck in import");
        gate.Open();
        await pass;
        await bench.BecomesAsync("a", WorkerState.Running);
    }

    [Fact]
    public async Task Idle_Silence_MeansNothing()
    {
        var script = new Script();
        await using var bench = await WorkerBench.StartAsync(Watched(), ("a", script));
        var run = await script.NextAsync();
        var idle = run.Context.Idle();
        bench.Time.Advance(TimeSpan.FromHours(1));
        await Task.Delay(150);
        bench.Workers.Get("a").State.ShouldBe(WorkerState.Running);
        idle.Dispose();
        idle.Dispose();
        bench.Time.Advance(TimeSpan.FromSeconds(1));
        await bench.BecomesAsync("a", WorkerState.Stuck);
    }

    [Fact]
    public async Task ReplaceStuck_RunThatObeys_IsCancelledAndReplaced()
    {
        var script = new Script();
        await using var bench = await WorkerBench.StartAsync(Watched(", \"ReplaceStuck\": true"), ("a", script));
        var run = await script.NextAsync();
        bench.Time.Advance(TimeSpan.FromSeconds(1));
        var next = await script.NextAsync();
        (run.Stopping.IsCancellationRequested, next.Context.Run, bench.Workers.Get("a").Abandoned, bench.Workers.Get("a").Restarts).ShouldBe((true, 2, 0, 1));
    }

    [Fact]
    public async Task ReplaceStuck_RunsThatDoNotEnd_AreAbandonedCountedAndBounded()
    {
        var script = new Script { IsStubborn = true };
        await using var bench = await WorkerBench.StartAsync(Watched(", \"ReplaceStuck\": true, \"MaxAbandoned\": 1, \"MaxRestarts\": 1000"), ("a", script));
        var first = await script.NextAsync();
        bench.Time.Advance(TimeSpan.FromSeconds(1));
        await WorkerBench.EventuallyAsync(() => first.Stopping.IsCancellationRequested, "asked to end");
        await WorkerBench.BreatheAsync();
        bench.Time.Advance(TimeSpan.FromSeconds(5));
        var second = await script.NextAsync();
        bench.Workers.Get("a").Abandoned.ShouldBe(1);
        first.Context.Heartbeat("from beyond");
        bench.Workers.Get("a").LastActivity.ShouldNotBe("from beyond", "what an abandoned run says is not heard");

        await bench.BecomesAsync("a", WorkerState.Running);
        bench.Time.Advance(TimeSpan.FromSeconds(1));
        await WorkerBench.EventuallyAsync(() => second.Stopping.IsCancellationRequested, "asked to end");
        await WorkerBench.BreatheAsync();
        bench.Time.Advance(TimeSpan.FromSeconds(5));
        await bench.BecomesAsync("a", WorkerState.Failed);
        script.Made.ShouldBe(2, "a third would leave two behind");
        first.Return();
        second.Fail("late");
        await WorkerBench.EventuallyAsync(() => bench.Workers.Get("a").Abandoned == 0, "both have ended");
        bench.Workers.Get("a").State.ShouldBe(WorkerState.Failed);
    }

    [Fact]
    public async Task KillSwitch_Off_NobodyIsStuck()
    {
        var script = new Script();
        await using var bench = await WorkerBench.StartAsync("""{ "Workers": { "Enabled": false, "Default": { "HeartbeatTimeout": "00:00:00.050" } } }""", ("a", script));
        await script.NextAsync();
        bench.Time.Advance(TimeSpan.FromHours(1));
        await Task.Delay(200);
        bench.Workers.Get("a").State.ShouldBe(WorkerState.Running);
    }
}
