namespace ResilientHost.IntegrationTests.Contract;

/// <summary>Groups as Erlang/OTP supervisors treat their children. Written from the contract alone.</summary>
public sealed class WorkerGroupContractTests
{
    private static string Group(string strategy, string group = "\"MaxRestarts\": 5", string workers = "") => $$"""
        {
          "Workers": { "Default": { "RestartDelay": "00:00:00", "RestartJitter": 0, "Group": "g" } {{workers}} },
          "WorkerGroups": { "g": { "Strategy": "{{strategy}}", {{group}} } }
        }
        """;

    private static async Task<(WorkerBench Bench, Script[] Scripts, ScriptRun[] Runs, List<string> Told)> StartAsync(string configuration)
    {
        var told = new List<string>();
        Script[] scripts = [.. "abc".Select(letter => new Script { Tell = what => Tell(told, $"{what} {letter}") })];
        var bench = await WorkerBench.StartAsync(configuration, [.. scripts.Select((script, i) => ("abc"[i].ToString(), script))]);
        var runs = new ScriptRun[3];
        for (var i = 0; i < 3; i++)
        {
            runs[i] = await scripts[i].NextAsync();
        }

        lock (told)
        {
            told.Clear();
        }

        return (bench, scripts, runs, told);
    }

    private static void Tell(List<string> told, string what)
    {
        lock (told)
        {
            told.Add(what);
        }
    }

    private static string[] Read(List<string> told)
    {
        lock (told)
        {
            return [.. told];
        }
    }

    [Theory]
    [InlineData("OneForOne", "b", "start b")]
    [InlineData("OneForAll", "b", "stop c,stop a,start a,start b,start c")]
    [InlineData("OneForAll", "a", "stop c,stop b,start a,start b,start c")]
    [InlineData("RestForOne", "b", "stop c,start b,start c")]
    [InlineData("RestForOne", "a", "stop c,stop b,start a,start b,start c")]
    [InlineData("RestForOne", "c", "start c")]
    public async Task Failure_InAGroup_RestartsWhomItsStrategySaysInOrder(string strategy, string failing, string expected)
    {
        var (bench, _, runs, told) = await StartAsync(Group(strategy));
        await using var _1 = bench;
        runs["abc".IndexOf(failing, StringComparison.Ordinal)].Fail();
        var starts = expected.Split(',').Count(static what => what.StartsWith("start", StringComparison.Ordinal));
        await WorkerBench.EventuallyAsync(() => Read(told).Count(static what => what.StartsWith("start", StringComparison.Ordinal)) == starts, $"{starts} starts");
        await WorkerBench.BreatheAsync();

        // The token of the run that failed is cancelled, too: what it left behind shall end.
        var stops = Read(told).Where(what => what.StartsWith("stop", StringComparison.Ordinal) && what != $"stop {failing}");
        stops.ShouldBe(expected.Split(',').Where(static what => what.StartsWith("stop", StringComparison.Ordinal)));

        // A start is begun in order; what the runs then do is their own affair.
        var begun = bench.Transitions.Where(static transition => transition is { To: WorkerState.Running, Run: 2 }).Select(static transition => $"start {transition.Name}");
        begun.ShouldBe(expected.Split(',').Where(static what => what.StartsWith("start", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task OneForAll_MemberThatHadCompleted_StartsAgain()
    {
        var (bench, scripts, runs, _) = await StartAsync(Group("OneForAll"));
        await using var _1 = bench;
        runs[0].Return();
        await bench.BecomesAsync("a", WorkerState.Completed);
        runs[1].Fail();
        (await scripts[0].NextAsync()).Context.Run.ShouldBe(2);
    }

    [Fact]
    public async Task OneForAll_TemporaryMember_IsNotStartedAgainAndItsOwnFailureRestartsNobody()
    {
        var (bench, scripts, runs, _) = await StartAsync(Group("OneForAll", workers: """, "a": { "Restart": "Temporary" }, "c": { "Restart": "Temporary" } """));
        await using var _1 = bench;
        runs[0].Fail();
        await bench.BecomesAsync("a", WorkerState.Failed);
        await WorkerBench.BreatheAsync();
        (scripts[1].IsWaiting, scripts[2].IsWaiting).ShouldBe((false, false));
        runs[1].Fail();
        await scripts[1].NextAsync();
        await bench.BecomesAsync("b", WorkerState.Running);
        await WorkerBench.BreatheAsync();
        (scripts[0].IsWaiting, scripts[2].IsWaiting).ShouldBe((false, false));
        runs[2].Stopping.IsCancellationRequested.ShouldBeTrue();
    }

    [Fact]
    public async Task Intensity_OfAGroup_CountsForAllMembersAndStopsThemInReverse()
    {
        var (bench, scripts, runs, told) = await StartAsync(Group("OneForOne", "\"MaxRestarts\": 2"));
        await using var _1 = bench;
        runs[0].Fail();
        var a = await scripts[0].NextAsync();
        runs[1].Fail();
        await scripts[1].NextAsync();
        await bench.BecomesAsync("b", WorkerState.Running);
        lock (told)
        {
            told.Clear();
        }

        a.Fail();
        foreach (var name in (string[])["a", "b", "c"])
        {
            await bench.BecomesAsync(name, WorkerState.Failed);
        }

        Read(told).Where(static what => what != "stop a").ShouldBe(["stop c", "stop b"]);
    }

    [Fact]
    public async Task Restart_OfAGroupWhoseMemberDoesNotStart_CountsAgain()
    {
        var (bench, scripts, runs, _) = await StartAsync(Group("OneForAll", "\"MaxRestarts\": 3"));
        await using var _1 = bench;
        scripts[0].InConstructor = static made => made > 1 ? new InvalidOperationException("no more") : null;
        runs[2].Fail();
        foreach (var name in (string[])["a", "b", "c"])
        {
            await bench.BecomesAsync(name, WorkerState.Failed);
        }

        scripts[0].Made.ShouldBe(4, "one, and three restarts");
    }

    [Fact]
    public async Task OneForAll_MemberDoesNotStop_IsLeftBehindAfterItsLimit()
    {
        var (bench, scripts, runs, _) = await StartAsync(Group("OneForAll", workers: """, "c": { "StopTimeout": "00:00:05" } """));
        await using var _1 = bench;
        scripts[2].IsStubborn = true;
        runs[0].Fail();
        await WorkerBench.EventuallyAsync(() => runs[2].Stopping.IsCancellationRequested, "c is asked");
        await WorkerBench.BreatheAsync();
        bench.Time.Advance(TimeSpan.FromSeconds(4));
        await WorkerBench.BreatheAsync();
        scripts[0].IsWaiting.ShouldBeFalse("siblings wait for the one that has not stopped");
        bench.Time.Advance(TimeSpan.FromSeconds(1));
        await scripts[0].NextAsync();
        await scripts[2].NextAsync();
        bench.Workers.Get("c").Abandoned.ShouldBe(1);
        runs[2].Fail("long dead");
        await WorkerBench.EventuallyAsync(() => bench.Workers.Get("c").Abandoned == 0, "the abandoned run has ended");
        await WorkerBench.BreatheAsync();
        bench.Workers.Get("c").State.ShouldBe(WorkerState.Running, "the late end of an old run moves nothing");
        scripts[0].IsWaiting.ShouldBeFalse();
    }

    [Fact]
    public async Task Storm_OfFailuresOfAllMembersAtOnce_EndsInOneConsistentState()
    {
        var (bench, scripts, runs, _) = await StartAsync(Group("OneForAll", "\"MaxRestarts\": 100000"));
        await using var _1 = bench;
        for (var round = 0; round < 30; round++)
        {
            Parallel.ForEach(runs, static run => run.Fail());
            for (var i = 0; i < 3; i++)
            {
                runs[i] = await scripts[i].NextAsync();
                while (runs[i].Stopping.IsCancellationRequested || runs[i].End.IsCompleted)
                {
                    runs[i] = await scripts[i].NextAsync();
                }
            }
        }

        await WorkerBench.EventuallyAsync(
            () => bench.Workers.All.All(static worker => worker.State == WorkerState.Running && worker.Abandoned == 0), "all run");
    }
}
