namespace ResilientHost.IntegrationTests.Contract;

/// <summary>Restart types, intensity, backoff: as Erlang/OTP and suture publish them. Written from the contract alone.</summary>
public sealed class WorkerRestartContractTests
{
    private static string Default(string members) => $$"""{ "Workers": { "Default": { "RestartJitter": 0, {{members}} } } }""";

    private static string Prompt(string members = "\"MaxRestarts\": 5") => Default($"\"RestartDelay\": \"00:00:00\", {members}");

    private static async Task RestartsAfterAsync(WorkerBench bench, Script script, TimeSpan delay, int idleTimers)
    {
        await bench.BecomesAsync("a", WorkerState.BackingOff);
        await WorkerBench.EventuallyAsync(() => bench.Time.ArmedTimers > idleTimers, "the delay has a timer");
        // The first timer to be armed may be the log's: time then moves before the delay's own, which counts whole milliseconds, is armed for what is left.
        bench.Time.Advance(delay - TimeSpan.FromMilliseconds(1));
        await WorkerBench.BreatheAsync();
        bench.Workers.Get("a").State.ShouldBe(WorkerState.BackingOff, $"delay {delay}");
        bench.Time.Advance(TimeSpan.FromMilliseconds(1));
    }

    [Theory]
    [InlineData("Permanent", true, true)]
    [InlineData("Permanent", false, true)]
    [InlineData("Transient", true, true)]
    [InlineData("Transient", false, false)]
    [InlineData("Temporary", true, false)]
    [InlineData("Temporary", false, false)]
    public async Task End_OfARun_RestartsAsItsTypeSays(string restart, bool fails, bool isRestarted)
    {
        var script = new Script();
        await using var bench = await WorkerBench.StartAsync(Prompt($"\"Restart\": \"{restart}\""), ("a", script));
        var run = await script.NextAsync();
        if (fails)
        {
            run.Fail();
        }
        else
        {
            run.Return();
        }

        if (isRestarted)
        {
            (await script.NextAsync()).Context.Run.ShouldBe(2);
            await bench.BecomesAsync("a", WorkerState.Running);
            bench.Workers.Get("a").Restarts.ShouldBe(1);
        }
        else
        {
            await bench.BecomesAsync("a", fails ? WorkerState.Failed : WorkerState.Completed);
            await WorkerBench.BreatheAsync();
            (script.IsWaiting, bench.Workers.Get("a").Restarts).ShouldBe((false, 0));
        }

        bench.Workers.Get("a").LastFailure.ShouldBe(fails ? "System.InvalidOperationException" : null);
        bench.IsStopping.ShouldBeFalse();
    }

    [Fact]
    public async Task Failure_BeforeTheFirstAwaitAndInTheConstructor_IsOneOfTheRun()
    {
        var script = new Script
        {
            InConstructor = static made => made is 1 or 3 ? new InvalidOperationException($"constructor-{made}") : null,
            AtOnce = static made =>
            {
                if (made == 2)
                {
                    throw new FormatException("before-await-2");
                }
            },
        };
        await using var bench = await WorkerBench.StartAsync(Prompt(), ("a", script));
        (await script.NextAsync()).Context.Run.ShouldBe(4);
        await bench.BecomesAsync("a", WorkerState.Running);
        (script.Made, bench.Workers.Get("a").Restarts, bench.Workers.Get("a").LastFailure).ShouldBe((4, 3, "System.InvalidOperationException"));
        foreach (var marker in (string[])["constructor-1", "before-await-2"])
        {
            bench.LogsAbout(marker).Count.ShouldBe(1, marker);
        }

        bench.LogsAbout("constructor-3").ShouldBeEmpty("it is the first failure again");
    }

    [Fact]
    public async Task Run_Always_HasAnInstanceAndScopeOfItsOwnDisposedAtItsEnd()
    {
        var script = new Script();
        await using var bench = await WorkerBench.StartAsync(Prompt(), services =>
        {
            services.AddScoped<Disposable>();
            services.AddResilientWorker("a", script.Make);
        });
        var first = await script.NextAsync();
        var scoped = first.Context.Services.GetRequiredService<Disposable>();
        first.Context.Services.GetRequiredService<WorkerContext>().ShouldBeSameAs(first.Context);
        first.Fail();
        var second = await script.NextAsync();
        scoped.IsDisposed.ShouldBeTrue();
        second.Instance.ShouldNotBeSameAs(first.Instance);
        second.Context.Services.GetRequiredService<Disposable>().ShouldNotBeSameAs(scoped);
        first.Stopping.IsCancellationRequested.ShouldBeTrue("what the run left behind must end");
        second.Stopping.IsCancellationRequested.ShouldBeFalse();
    }

    [Fact]
    public async Task Cancellation_ThatIsNotTheStopTokens_IsAFailure()
    {
        var script = new Script();
        await using var bench = await WorkerBench.StartAsync(Prompt(), ("a", script));
        (await script.NextAsync()).CancelOfItsOwn();
        var second = await script.NextAsync();
        second.Throw(new OperationCanceledException("own"));
        var third = await script.NextAsync();
        bench.Workers.Get("a").Restarts.ShouldBe(2);
        await bench.StopAsync();
        await third.End.ShouldThrowAsync<OperationCanceledException>();
        bench.Workers.Get("a").State.ShouldBe(WorkerState.Stopped);
        bench.Workers.Get("a").Restarts.ShouldBe(2, "a stop is no failure");
    }

    [Fact]
    public async Task Failures_OfOneTypeFromDifferentPlaces_AreEachToldInFull()
    {
        var script = new Script
        {
            AtOnce = static made =>
            {
                switch (made)
                {
                    case 1:
                        ThrowHere();
                        break;
                    case 2:
                        ThrowThere();
                        break;
                    default:
                        break;
                }
            },
        };
        await using var bench = await WorkerBench.StartAsync(Prompt(), ("a", script));
        (await script.NextAsync()).Context.Run.ShouldBe(3);
        await bench.BecomesAsync("a", WorkerState.Running);
        bench.LogsAbout("flaw-here").Count.ShouldBe(1);
        bench.LogsAbout("flaw-there").Count.ShouldBe(1, "another throw site is another failure");
    }

    [Fact]
    public async Task Failures_OfTwoTypesInTurn_AreNotEachToldInFull()
    {
        var script = new Script();
        await using var bench = await WorkerBench.StartAsync(Prompt("\"MaxRestarts\": 1000"), ("a", script));
        for (var i = 0; i < 40; i++)
        {
            (await script.NextAsync()).Throw(i % 2 == 0 ? new InvalidOperationException("even") : new FormatException("odd"));
        }

        await script.NextAsync();
        await bench.BecomesAsync("a", WorkerState.Running);
        bench.Logs.Entries.Count(static entry => entry.Exception is InvalidOperationException or FormatException).ShouldBeLessThanOrEqualTo(4, "a storm of two fingerprints is told as two");
    }

    [Fact]
    public async Task Intensity_MoreThanMaxRestartsWithinTheWindow_GivesUp()
    {
        var script = new Script();
        await using var bench = await WorkerBench.StartAsync(Prompt("\"MaxRestarts\": 2, \"RestartWindow\": \"00:00:10\""), ("a", script));
        for (var i = 0; i < 3; i++)
        {
            (await script.NextAsync()).Fail();
        }

        await bench.BecomesAsync("a", WorkerState.Failed);
        bench.Workers.Get("a").Restarts.ShouldBe(2);
        await bench.ToldAsync(static transition => transition is { To: WorkerState.Failed, Cause: WorkerTransitionCause.GaveUp }, "gave up");
        (script.IsWaiting, bench.IsStopping).ShouldBe((false, false));
    }

    [Fact]
    public async Task Intensity_ZeroRestarts_GivesUpAtTheFirstFailure()
    {
        var script = new Script();
        await using var bench = await WorkerBench.StartAsync(Prompt("\"MaxRestarts\": 0"), ("a", script));
        (await script.NextAsync()).Fail();
        await bench.BecomesAsync("a", WorkerState.Failed);
        script.Made.ShouldBe(1);
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(1, true)]
    public async Task Intensity_WindowSlidesAsOtpsInPeriod(long ticksBeyondTheWindow, bool isRestarted)
    {
        var script = new Script();
        await using var bench = await WorkerBench.StartAsync(Prompt("\"MaxRestarts\": 1, \"RestartWindow\": \"00:00:10\""), ("a", script));
        (await script.NextAsync()).Fail();
        var second = await script.NextAsync();
        await bench.BecomesAsync("a", WorkerState.Running);
        bench.Time.Advance(TimeSpan.FromSeconds(10) + TimeSpan.FromTicks(ticksBeyondTheWindow));
        second.Fail();
        await bench.BecomesAsync("a", isRestarted ? WorkerState.Running : WorkerState.Failed);
        await bench.ToldAsync(transition => transition.Cause == (isRestarted ? WorkerTransitionCause.Restart : WorkerTransitionCause.GaveUp), "second failure");
    }

    [Fact]
    public async Task Intensity_ReturnsOfAPermanentWorker_CountToo()
    {
        var script = new Script();
        await using var bench = await WorkerBench.StartAsync(Prompt("\"Restart\": \"Permanent\", \"MaxRestarts\": 2"), ("a", script));
        for (var i = 0; i < 3; i++)
        {
            (await script.NextAsync()).Return();
        }

        await bench.BecomesAsync("a", WorkerState.Failed);
    }

    [Fact]
    public async Task DecayingCount_AsSutures_GivesUpAboveItsThreshold()
    {
        var script = new Script();
        await using var bench = await WorkerBench.StartAsync(
            Prompt("\"MaxRestarts\": 1000, \"FailureThreshold\": 2, \"FailureDecay\": \"00:00:10\""), ("a", script));
        (await script.NextAsync()).Fail(); // 1
        (await script.NextAsync()).Fail(); // 2
        var third = await script.NextAsync();
        await bench.BecomesAsync("a", WorkerState.Running);
        bench.Time.Advance(TimeSpan.FromSeconds(10));
        third.Fail(); // 2 × 0.5 + 1 = 2
        var fourth = await script.NextAsync();
        fourth.Fail(); // 3
        await bench.BecomesAsync("a", WorkerState.Failed);
        script.Made.ShouldBe(4);
    }

    [Fact]
    public async Task Delay_OfRestarts_GrowsToItsCapAndBeginsAnewAfterALongRun()
    {
        var script = new Script();
        await using var bench = await WorkerBench.StartAsync(
            Default("\"MaxRestarts\": 1000, \"RestartWindow\": \"00:01:00\", \"RestartDelay\": \"00:00:01\", \"RestartBackoff\": 3, \"MaxRestartDelay\": \"00:00:05\""), ("a", script));
        var run = await script.NextAsync();
        var idle = bench.Time.ArmedTimers;
        foreach (var seconds in (int[])[1, 3, 5, 5])
        {
            run.Fail();
            await RestartsAfterAsync(bench, script, TimeSpan.FromSeconds(seconds), idle);
            run = await script.NextAsync();
        }

        await bench.BecomesAsync("a", WorkerState.Running);
        bench.Time.Advance(TimeSpan.FromSeconds(60));
        run.Fail();
        await RestartsAfterAsync(bench, script, TimeSpan.FromSeconds(1), idle);
        await script.NextAsync();
    }

    [Fact]
    public async Task Stop_DuringTheDelay_EndsItAndNothingStartsAgain()
    {
        var script = new Script();
        await using var bench = await WorkerBench.StartAsync(Default("\"RestartDelay\": \"00:10:00\", \"MaxRestartDelay\": \"00:10:00\""), ("a", script));
        (await script.NextAsync()).Fail();
        await bench.BecomesAsync("a", WorkerState.BackingOff);
        await bench.StopAsync();
        bench.Workers.Get("a").State.ShouldBe(WorkerState.Stopped);
        bench.Time.Advance(TimeSpan.FromHours(1));
        await WorkerBench.BreatheAsync();
        script.Made.ShouldBe(1);
    }

    [Fact]
    public async Task Restart_ByHandOfAWorkerGivenUp_CountsFromZero()
    {
        var script = new Script();
        await using var bench = await WorkerBench.StartAsync(Prompt("\"MaxRestarts\": 1"), ("a", script));
        (await script.NextAsync()).Fail();
        (await script.NextAsync()).Fail();
        await bench.BecomesAsync("a", WorkerState.Failed);
        bench.Workers.Restart("A");
        (await script.NextAsync()).Fail();
        var run = await script.NextAsync();
        await bench.BecomesAsync("a", WorkerState.Running);
        run.Return();
        await bench.BecomesAsync("a", WorkerState.Completed);
        bench.Workers.Restart("a");
        await script.NextAsync();
        await bench.ToldAsync(static transition => transition.Cause == WorkerTransitionCause.Manual, "by hand");
        Should.Throw<KeyNotFoundException>(() => bench.Workers.Restart("b")).Message.ShouldContain("'b'");
    }

    [Fact]
    public async Task Disposal_ThatThrowsOrHangs_KeepsNoRunFromStarting()
    {
        var runs = 0;
        await using var bench = await WorkerBench.StartAsync(Prompt("\"StopTimeout\": \"00:00:01\""), services =>
            services.AddResilientWorker("a", _ => new BadEnd(++runs)));
        await WorkerBench.EventuallyAsync(
            () =>
            {
                bench.Time.Advance(TimeSpan.FromMilliseconds(100));
                return runs >= 3 && bench.Workers.Get("a").State == WorkerState.Running;
            },
            "the third run");
    }

    [Fact]
    public async Task Worker_Starts_WithoutAnythingAmbientOfTheHost()
    {
        var script = new Script();
        var seen = "unset";
        script.AtOnce = _ => seen = Ambient.Value ?? "nothing";
        Ambient.Value = "of the starter";
        await using var bench = await WorkerBench.StartAsync(Prompt(), ("a", script));
        await script.NextAsync();
        seen.ShouldBe("nothing");
    }

    private static readonly AsyncLocal<string?> Ambient = new();

    private static void ThrowHere() => throw new InvalidOperationException("flaw-here");

    private static void ThrowThere() => throw new InvalidOperationException("flaw-there");

    private sealed class Disposable : IDisposable
    {
        public bool IsDisposed { get; private set; }

        public void Dispose() => IsDisposed = true;
    }

    private sealed class BadEnd(int number) : IResilientWorker, IAsyncDisposable
    {
        public async Task RunAsync(WorkerContext context, CancellationToken stoppingToken)
        {
            await Task.Yield();
            if (number < 3)
            {
                throw new InvalidOperationException("bad-end");
            }

            await Task.Delay(Timeout.Infinite, stoppingToken);
        }

        public async ValueTask DisposeAsync()
        {
            await Task.Yield();
            if (number == 1)
            {
                throw new InvalidOperationException("bad-disposal");
            }

            if (number == 2)
            {
                await new TaskCompletionSource().Task;
            }
        }
    }
}
