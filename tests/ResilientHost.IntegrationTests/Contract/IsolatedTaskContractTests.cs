using System.Diagnostics;

namespace ResilientHost.IntegrationTests.Contract;

/// <summary>The safe <c>go</c>. Written from the contract alone.</summary>
public sealed class IsolatedTaskContractTests
{
    private static readonly AsyncLocal<string?> Ambient = new();

    private static Task<WorkerBench> StartAsync(string configuration = "{}") => WorkerBench.StartAsync(configuration, static _ => { });

    private static Task? NoTask() => new List<Task>().Find(static _ => true);

    private static IIsolatedTasks Tasks(WorkerBench bench) => bench.Services.GetRequiredService<IIsolatedTasks>();

    private static Task<CallOutcome> Within(Task<CallOutcome> task) => task.WaitAsync(TestService.Patience);

    [Fact]
    public async Task Work_HoweverItEnds_NeverFaultsTheTask()
    {
        await using var bench = await StartAsync();
        var tasks = Tasks(bench);
        (await Within(tasks.Run("t", static _ => Task.CompletedTask))).ShouldBe(CallOutcome.Succeeded);
        (await Within(tasks.Run("t", static _ => throw new InvalidOperationException("first-flaw")))).ShouldBe(CallOutcome.Failed);
        (await Within(tasks.Run("t", static async _ => { await Task.Yield(); throw new FormatException("second-flaw"); }))).ShouldBe(CallOutcome.Failed);
        (await Within(tasks.Run("t", static _ => Task.FromCanceled(new CancellationToken(canceled: true))))).ShouldNotBe(CallOutcome.Succeeded);
        (await Within(tasks.Run("t", static _ => NoTask()!))).ShouldBe(CallOutcome.Failed);
        bench.LogsAbout("first-flaw").Count.ShouldBe(1);
        bench.LogsAbout("second-flaw").Count.ShouldBe(1);
        Should.Throw<ArgumentException>(() => { _ = tasks.Run("", static _ => Task.CompletedTask); });
        Should.Throw<ArgumentNullException>(() => { _ = tasks.Run("t", null!); });
        Should.Throw<ArgumentNullException>(() => { _ = tasks.Run(null!, static _ => Task.CompletedTask); });
    }

    [Fact]
    public async Task Room_NoneLeft_IsRefusedAndGivenBackAtTheEnd()
    {
        await using var bench = await StartAsync("""{ "IsolatedTasks": { "MaxTasks": 3, "MaxTasksPerName": 2 } }""");
        var tasks = Tasks(bench);
        var gate = new Gate();
        Task<CallOutcome>[] live = [tasks.Run("a", gate.PassAsync), tasks.Run("a", gate.PassAsync)];
        Should.Throw<RefusedException>(() => { _ = tasks.Run("a", gate.PassAsync); }).Refusal.Reason.ShouldBe(RefusalReason.BulkheadFull);
        var third = tasks.Run("b", gate.PassAsync);
        Should.Throw<RefusedException>(() => { _ = tasks.Run("c", gate.PassAsync); }).Refusal.Reason.ShouldBe(RefusalReason.BulkheadFull);
        bench.Metrics.Sum(ResilienceDiagnostics.Instruments.IsolatedTaskRefusals).ShouldBe(2);
        gate.Open();
        await Task.WhenAll([.. live, third]).WaitAsync(TestService.Patience);
        (await Within(tasks.Run("a", static _ => Task.CompletedTask))).ShouldBe(CallOutcome.Succeeded);
        bench.Configuration.Replace("""{ "IsolatedTasks": { "MaxTasks": 1 } }""");
        var closed = new Gate();
        var one = tasks.Run("a", closed.PassAsync);
        Should.Throw<RefusedException>(() => { _ = tasks.Run("b", closed.PassAsync); });
        bench.Configuration.Replace("""{ "IsolatedTasks": { "MaxTasks": 1, "Enabled": false } }""");
        var two = tasks.Run("b", closed.PassAsync);
        closed.Open();
        await Task.WhenAll(one, two).WaitAsync(TestService.Patience);
    }

    [Fact]
    public async Task Bounds_UnderConcurrentRuns_AreExact()
    {
        await using var bench = await StartAsync("""{ "IsolatedTasks": { "MaxTasks": 50, "MaxTasksPerName": 30 } }""");
        var tasks = Tasks(bench);
        var gate = new Gate();
        var admitted = 0;
        Parallel.For(0, 400, i =>
        {
            try
            {
                _ = tasks.Run($"n{i % 2}", gate.PassAsync);
                Interlocked.Increment(ref admitted);
            }
            catch (RefusedException)
            {
                // Counted by what was admitted.
            }
        });
        admitted.ShouldBe(50);
        gate.Open();
    }

    [Fact]
    public async Task Context_OfTheCaller_IsCarriedAndNothingElse()
    {
        using var spans = new ActivityRecorder(ResilienceDiagnostics.ActivitySourceName);
        await using var bench = await StartAsync();
        var logger = bench.Services.GetRequiredService<ILoggerFactory>().CreateLogger("contract");
        using var caller = new Activity("caller").AddBaggage("tenant", "acme").Start();
        Ambient.Value = "of the caller";
        Task<CallOutcome> task;
        string? ambient = "unset";
        string? baggage = null;
        using (logger.BeginScope(new Dictionary<string, object?> { ["OrderId"] = 4711 }))
        {
            task = Tasks(bench).Run("carried-context", async _ =>
            {
                await Task.Yield();
                ambient = Ambient.Value;
                baggage = Activity.Current?.GetBaggageItem("tenant");
                logger.LogInformation("inside the task");
            });
        }

        (await Within(task)).ShouldBe(CallOutcome.Succeeded);
        (ambient, baggage).ShouldBe((null, "acme"));
        var span = await spans.WaitForAsync(static span => span.OperationName == "resilient_host.isolated_task" && span.TagObjects.Any(static tag => tag.Value is "carried-context"), TestService.Patience);
        (span.ParentId, span.TraceId == caller.TraceId).ShouldBe((null, false));
        span.Links.ShouldHaveSingleItem().Context.SpanId.ShouldBe(caller.SpanId);
        bench.Logs.Entries.Single(static entry => entry.Message == "inside the task").ValueOf("OrderId").ShouldBe(4711);
    }

    [Fact]
    public async Task Drain_AtTheLimit_CancelsNamesAndEnds()
    {
        await using var bench = await WorkerBench.StartAsync("""{ "IsolatedTasks": { "DrainTimeout": "00:00:00.500" } }""", static _ => { }, hasManualTime: false);
        var tasks = Tasks(bench);
        var never = new TaskCompletionSource();
        var obedient = tasks.Run("obedient", static token => Task.Delay(Timeout.Infinite, token));
        var stubborn = tasks.Run("stubborn", _ => never.Task);
        var quick = tasks.Run("quick", static async _ => await Task.Delay(100, CancellationToken.None));
        await bench.StopAsync();
        (await Within(quick)).ShouldBe(CallOutcome.Succeeded);
        (await Within(obedient)).ShouldNotBe(CallOutcome.Succeeded);
        stubborn.IsCompleted.ShouldBeFalse();
        bench.Logs.Entries.ShouldContain(static entry => entry.Level >= LogLevel.Warning && entry.Message.Contains("stubborn", StringComparison.Ordinal));
        Should.Throw<RefusedException>(() => { _ = tasks.Run("late", static _ => Task.CompletedTask); }).Refusal.Reason.ShouldBe(RefusalReason.Shed);
        never.SetResult();
    }

    [Fact]
    public async Task Leak_GrowthOfOneName_IsToldOnceWithAgeAndOrigin()
    {
        await using var bench = await WorkerBench.StartAsync("""{ "IsolatedTasks": { "LeakWindow": "00:00:02", "LeakThreshold": 5 } }""", static _ => { }, hasManualTime: false);
        var tasks = Tasks(bench);
        var gate = new Gate();
        var found = bench.Logs.WaitForAsync(static entry => entry.Level >= LogLevel.Warning && entry.Message.Contains("leaking-name", StringComparison.Ordinal), TestService.Patience);
        using var pace = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (!found.IsCompleted)
        {
            _ = tasks.Run("leaking-name", gate.PassAsync);
            await pace.WaitForNextTickAsync();
        }

        (await found).Message.ShouldContain(nameof(IsolatedTaskContractTests));
        gate.Open();
    }
}
