using System.Diagnostics;

namespace ResilientHost.IntegrationTests.Contract;

/// <summary>Signals of the application's own, up and down, and such as misbehave. Written from the contract alone.</summary>
public sealed class SignalContractTests
{
    private sealed class Backlog(string name = "backlog", double enter = 10, double exit = 5) : IDegradationSignal
    {
        private long _reads;

        public Func<double> Value { get; set; } = () => 0;

        public long Reads => Volatile.Read(ref _reads);

        public string Name => name;

        public double Enter => enter;

        public double Exit => exit;

        public double Read()
        {
            Interlocked.Increment(ref _reads);
            return Value();
        }
    }

    // At survival each answer that is not critical closes its connection, so a test that polls would meet the limit of new ones.
    private static string Section(string degradation) => $$"""{ "Degradation": { {{degradation}} }, "Connections": { "SurvivalConnectionsPerSecond": null } }""";

    private static TestServiceSetup Setup(string degradation, params IDegradationSignal[] signals) => new()
    {
        Configuration = Section(degradation),
        Builder = builder =>
        {
            foreach (var signal in signals)
            {
                builder.Services.AddSingleton(signal);
            }
        },
        Endpoints = app =>
        {
            app.MapGet("/sheddable", () => "s").WithCriticality(Criticality.Sheddable);
            app.MapGet("/default", () => "d");
            app.MapGet("/critical", () => "c").WithCriticality(Criticality.Critical);
        },
    };

    private static Task ReadTwiceMoreAsync(TestService service, Backlog signal)
    {
        var reads = signal.Reads;
        return TestService.EventuallyAsync(
            async () =>
            {
                await service.StatusAsync();
                return signal.Reads > reads + 2;
            },
            "two more samples");
    }

    [Fact]
    public async Task Signal_DrivesTheLevelUpAndDown_StepByStep()
    {
        var signal = new Backlog();
        await using var service = await TestService.StartAsync(Setup(Levels.Prompt, signal));
        var changes = new System.Collections.Concurrent.ConcurrentQueue<ServiceLevelChange>();
        service.Level().Changed += changes.Enqueue;
        signal.Value = () => 10;
        await service.LevelIsAsync(ServiceLevel.Survival);
        (await service.ServedAsync("/critical")).ShouldBe(100);
        (await service.ServedAsync("/sheddable")).ShouldBeLessThan(10);

        signal.Value = () => 7;
        await ReadTwiceMoreAsync(service, signal);
        service.Level().Current.ShouldBe(ServiceLevel.Survival, "between exit and enter it stays");

        signal.Value = () => 5;
        await service.LevelIsAsync(ServiceLevel.Normal);
        (await service.ServedAsync("/sheddable")).ShouldBe(100);
        await TestService.EventuallyAsync(async () => { await service.StatusAsync(); return changes.Count >= 6; }, "six changes");
        changes.Select(change => (int)change.To).ShouldBe([1, 2, 3, 2, 1, 0]);
        changes.Take(3).ShouldAllBe(change => change.Cause == ServiceLevelCause.Overload && change.Signal == "backlog");
        changes.Skip(3).ShouldAllBe(change => change.Cause == ServiceLevelCause.Recovery);
        changes.First().Signals.Single(reading => reading.Name == "backlog").Value.ShouldBe(10);
    }

    [Fact]
    public async Task Signal_InShadow_ShowsTheLevelAndShedsNobody()
    {
        var signal = new Backlog { Value = () => 100 };
        await using var service = await TestService.StartAsync(Setup("\"Mode\": \"Shadow\", " + Levels.Prompt, signal));
        await service.LevelIsAsync(ServiceLevel.Survival);
        (await service.ServedAsync("/sheddable")).ShouldBe(100);
        (await service.ServedAsync("/default")).ShouldBe(100);
        service.ValueOf(ResilienceDiagnostics.Instruments.DegradationShed).ShouldBe(0);
        service.ValueOf(ResilienceDiagnostics.Instruments.DegradationShadowShed).ShouldBeGreaterThan(150);
    }

    [Fact]
    public async Task Override_BelowWhatSignalsAskFor_Holds_AndItsEndIsAtOnceTheirs()
    {
        var signal = new Backlog { Value = () => 100 };
        await using var service = await TestService.StartAsync(Setup(Levels.Prompt, signal));
        await service.LevelIsAsync(ServiceLevel.Survival);
        service.Level().Override(ServiceLevel.Normal, by: "ann");
        (await service.ServedAsync("/sheddable")).ShouldBe(100);
        var snapshot = service.Level().Snapshot();
        (snapshot.Level, snapshot.SignalledLevel, snapshot.IsOverridden).ShouldBe((ServiceLevel.Normal, ServiceLevel.Survival, true));
        service.Level().ClearOverride();
        service.Level().Current.ShouldBe(ServiceLevel.Survival);
    }

    [Fact]
    public async Task Reload_MidFlight_ThresholdsModeAndSwitchesHoldAtOnce()
    {
        var signal = new Backlog { Value = () => 100 };
        await using var service = await TestService.StartAsync(Setup(Levels.Prompt, signal));
        await service.LevelIsAsync(ServiceLevel.Survival);
        service.Configuration.Replace(Section("\"Mode\": \"Shadow\", " + Levels.Prompt));
        (await service.ServedAsync("/sheddable")).ShouldBe(100);

        service.Configuration.Replace(Section(Levels.Prompt.Replace("\"Cpu\": { \"Enabled\": false }", "\"Cpu\": { \"Enter\": 0.5, \"Exit\": 0.6 }", StringComparison.Ordinal)));
        (await service.ServedAsync("/sheddable")).ShouldBe(100, "an invalid reload changes nothing");
        service.LoudLogs.ShouldContain(entry => entry.Message.Contains("Cpu", StringComparison.Ordinal));

        service.Configuration.Replace(Section("\"Enabled\": false, " + Levels.Prompt));
        service.Level().Current.ShouldBe(ServiceLevel.Normal);
        var reads = signal.Reads;
        (await service.ServedAsync("/sheddable")).ShouldBe(100);
        signal.Reads.ShouldBeLessThanOrEqualTo(reads + 1, "turned off, no signal is asked");

        service.Configuration.Replace(Section(Levels.Prompt));
        await service.LevelIsAsync(ServiceLevel.Survival);
        signal.Value = () => 0;
        await service.LevelIsAsync(ServiceLevel.Normal);
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(double.NegativeInfinity)]
    public async Task Signal_ThatSaysNothingFinite_HasNoSay(double value)
    {
        var odd = new Backlog("odd") { Value = () => 100 };
        var other = new Backlog("other");
        await using var service = await TestService.StartAsync(Setup(Levels.Prompt, odd, other));
        await service.LevelIsAsync(ServiceLevel.Survival);
        odd.Value = () => value;
        await service.LevelIsAsync(ServiceLevel.Normal);
        var status = await service.StatusAsync();
        status.GetProperty("signals").EnumerateArray().Single(signal => signal.GetProperty("name").GetString() == "odd").GetProperty("value").ValueKind.ShouldBe(JsonValueKind.Null);
        other.Value = () => 100;
        await service.LevelIsAsync(ServiceLevel.Survival);
    }

    [Fact]
    public async Task Signal_ThatThrows_IsLoggedOnce_WithoutItsSecrets_AndAskedAgain()
    {
        var broken = new Backlog("broken") { Value = () => throw new InvalidOperationException("Password=hunter2") };
        var other = new Backlog("other") { Value = () => 100 };
        await using var service = await TestService.StartAsync(Setup(Levels.Prompt, broken, other));
        await service.LevelIsAsync(ServiceLevel.Survival);
        await ReadTwiceMoreAsync(service, broken);
        await service.Logs.WaitForAsync(entry => entry.Level >= LogLevel.Warning && entry.Message.Contains("broken", StringComparison.Ordinal), TestService.Patience);
        service.LoudLogs.Count(entry => entry.Message.Contains("broken", StringComparison.Ordinal)).ShouldBe(1);
        (await service.StatusAsync()).ToString().ShouldNotContain("hunter2");
        other.Value = () => 0;
        await service.LevelIsAsync(ServiceLevel.Normal);
        broken.Value = () => 100;
        await service.LevelIsAsync(ServiceLevel.Survival);
    }

    [Fact]
    public async Task Signals_ExtremeValues_BreakNothing()
    {
        var wild = new Backlog("wild", double.MaxValue, double.MinValue);
        var small = new Backlog("small", double.Epsilon, -double.Epsilon) { Value = () => 0 };
        var values = new[] { double.MaxValue, double.MinValue, 0, -0.0, double.Epsilon, 1e300, -1e300 };
        await using var service = await TestService.StartAsync(Setup(Levels.Prompt.Replace("\"Smoothing\": \"00:00:00\"", "\"Smoothing\": \"00:00:01\"", StringComparison.Ordinal), wild, small));
        wild.Value = () => values[wild.Reads % values.Length];
        await TestService.EventuallyAsync(async () => { await service.StatusAsync(); return wild.Reads > 8; }, "eight samples");
        service.ShouldHaveLoggedNoError();
    }

    [Theory]
    [InlineData("", 10, 5)]
    [InlineData("Upper", 10, 5)]
    [InlineData("with space", 10, 5)]
    [InlineData("line\nbreak", 10, 5)]
    [InlineData("cpu", 10, 5)]
    [InlineData("memory_projected", 10, 5)]
    [InlineData("backlog", 5, 5)]
    [InlineData("backlog", 5, 6)]
    [InlineData("backlog", double.NaN, 5)]
    [InlineData("backlog", 5, double.NaN)]
    [InlineData("backlog", double.PositiveInfinity, 5)]
    public async Task Start_WrongSignal_IsRefusedByName(string name, double enter, double exit)
    {
        var error = await TestService.FailToStartAsync(Setup(Levels.Prompt, new Backlog(name, enter, exit)));
        error.ShouldContain(nameof(Backlog));
    }

    [Fact]
    public async Task Start_LongestName_IsFine_OneLongerIsNot()
    {
        await using var service = await TestService.StartAsync(Setup(Levels.Prompt, new Backlog(new string('n', 64))));
        (await TestService.FailToStartAsync(Setup(Levels.Prompt, new Backlog(new string('n', 65))))).ShouldContain(nameof(Backlog));
    }

    [Fact]
    public async Task Start_TwoSignalsOfOneName_IsRefused() =>
        (await TestService.FailToStartAsync(Setup(Levels.Prompt, new Backlog("twin"), new Backlog("twin")))).ShouldContain("twin");

    [Theory]
    [InlineData("\"Cpu\": { \"Enter\": 0.5, \"Exit\": 0.5 }", "Cpu")]
    [InlineData("\"Cpu\": { \"Enter\": 0.5, \"Exit\": 0.9 }", "Cpu")]
    [InlineData("\"Memory\": { \"Enter\": \"NaN\" }", "Memory")]
    [InlineData("\"Cpu\": { \"Entr\": 0.5 }", "Entr")]
    [InlineData("\"Disk\": { \"Enter\": 0.5 }", "Disk")]
    [InlineData("\"Mode\": \"Sometimes\"", "Mode")]
    [InlineData("\"Mode\": \"7\"", "Mode")]
    [InlineData("\"SampleInterval\": \"00:00:00.099\"", "SampleInterval")]
    [InlineData("\"SampleInterval\": \"00:00:11\"", "SampleInterval")]
    [InlineData("\"SampleInterval\": \"1\"", "SampleInterval")]
    [InlineData("\"Smoothing\": \"-00:00:01\"", "Smoothing")]
    [InlineData("\"MinimumDwell\": \"00:10:01\"", "MinimumDwell")]
    [InlineData("\"RampUp\": \"00:10:01\"", "RampUp")]
    [InlineData("\"RampDown\": \"01:00:01\"", "RampDown")]
    [InlineData("\"StartupGrace\": \"00:10:01\"", "StartupGrace")]
    public async Task Start_WrongConfiguration_NamesTheKey(string degradation, string key)
    {
        var error = await TestService.FailToStartAsync(Setup(degradation));
        error.ShouldContain("Degradation");
        error.ShouldContain(key);
    }

    [Fact]
    public async Task Start_ManyMistakes_AreToldAtOnce()
    {
        var error = await TestService.FailToStartAsync(new TestServiceSetup
        {
            Configuration =
                """
                { "Degradation": { "Cpu": { "Enter": 0.1, "Exit": 0.2 }, "RampUp": "01:00:00" }, "Connections": { "ReservedDescriptors": -1, "SurvivalConnectionsPerSecond": 0 },
                  "TrustedCallers": { "Networks": [ "10.0.0.1/8", "everyone" ] }, "Bulkheads": { "b": { "PartitionBy": "Shoe", "PartitionWeights": { "a": 0 } } } }
                """,
        });
        foreach (var key in new[] { "Cpu", "RampUp", "ReservedDescriptors", "SurvivalConnectionsPerSecond", "10.0.0.1/8", "everyone", "Shoe", "PartitionWeights" })
        {
            error.ShouldContain(key);
        }
    }

    [Fact]
    public async Task Telemetry_InstrumentsEventsAndLogs()
    {
        var signal = new Backlog();
        await using var service = await TestService.StartAsync(Setup(Levels.Prompt, signal));
        using var spans = new Recorder();
        signal.Value = () => 50;
        await service.LevelIsAsync(ServiceLevel.Survival);
        await service.ServedAsync("/sheddable");
        service.ValueOf(ResilienceDiagnostics.Instruments.DegradationLevel).ShouldBe(3);
        service.ValueOf(ResilienceDiagnostics.Instruments.DegradationSeverity).ShouldBeInRange(2, 3);
        service.ValueOf(ResilienceDiagnostics.Instruments.DegradationSignal, (ResilienceDiagnostics.Tags.Signal, "backlog")).ShouldBe(50);
        service.ValueOf(ResilienceDiagnostics.Instruments.DegradationShed, (ResilienceDiagnostics.Tags.Criticality, "sheddable")).ShouldBeGreaterThan(90);
        spans.Events.ShouldContain(name => name == "degradation.shed");

        // Changes are told off the thread that makes them.
        await TestService.EventuallyAsync(
            async () =>
            {
                await service.StatusAsync();
                return service.ValueOf(ResilienceDiagnostics.Instruments.DegradationTransitions) == 3
                    && service.Logs.Entries.Count(entry => entry.EventId.Id is >= 1400 and < 1500 && entry.Message.Contains("backlog", StringComparison.Ordinal)) >= 3;
            },
            "three changes counted and logged");
        service.Logs.Entries.Count(entry => entry.EventId.Id is >= 1400 and < 1500).ShouldBeLessThan(30, "a shed request is no log line");
    }

    private sealed class Recorder : IDisposable
    {
        private readonly ActivityListener _listener;

        public Recorder()
        {
            _listener = new ActivityListener
            {
                ShouldListenTo = source => source.Name is "Microsoft.AspNetCore",
                Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
                ActivityStopped = activity =>
                {
                    foreach (var named in activity.Events)
                    {
                        Events.Enqueue(named.Name);
                    }
                },
            };
            ActivitySource.AddActivityListener(_listener);
        }

        public System.Collections.Concurrent.ConcurrentQueue<string> Events { get; } = new();

        public void Dispose() => _listener.Dispose();
    }
}
