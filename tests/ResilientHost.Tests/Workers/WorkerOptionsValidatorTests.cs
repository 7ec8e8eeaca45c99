using ResilientHost.Tests.Hosting;
using ResilientHost.Workers;

namespace ResilientHost.Tests.Workers;

public sealed class WorkerOptionsValidatorTests
{
    private static readonly TimeSpan Tick = TimeSpan.FromTicks(1);
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);

    [Fact]
    public void Errors_OfDefaults_AreNone()
    {
        WorkerOptionsValidator.Errors("w", new()).ShouldBeEmpty();
        WorkerOptionsValidator.GroupErrors("g", new()).ShouldBeEmpty();
    }

    public static TheoryData<WorkerOptions, WorkerOptions, string> Bounds() => new()
    {
        { new() { RestartWindow = TimeSpan.FromMilliseconds(1) }, new() { RestartWindow = TimeSpan.FromMilliseconds(1) - Tick }, "RestartWindow must be 00:00:00.0010000 to 1.00:00:00 (d.hh:mm:ss), but is 00:00:00.0009999." },
        { new() { RestartWindow = Day }, new() { RestartWindow = Day + Tick }, "RestartWindow must be 00:00:00.0010000 to 1.00:00:00 (d.hh:mm:ss), but is 1.00:00:00.0000001." },
        { new() { FailureThreshold = double.Epsilon }, new() { FailureThreshold = 0 }, "FailureThreshold must be above 0 and at most 1000000 failures, or null, but is 0." },
        { new() { FailureThreshold = 1_000_000 }, new() { FailureThreshold = double.NaN }, "FailureThreshold must be above 0 and at most 1000000 failures, or null, but is NaN." },
        { new() { RestartDelay = TimeSpan.Zero }, new() { RestartDelay = -Tick }, "RestartDelay must be 00:00:00 to 1.00:00:00 (d.hh:mm:ss), but is -00:00:00.0000001." },
        { new() { RestartDelay = Day, MaxRestartDelay = Day }, new() { RestartDelay = Day, MaxRestartDelay = Day - Tick }, "MaxRestartDelay must be at least RestartDelay (1.00:00:00) and at most 1.00:00:00 (d.hh:mm:ss), but is 23:59:59.9999999." },
        { new() { RestartBackoff = 1 }, new() { RestartBackoff = 0.99 }, "RestartBackoff must be 1 to 100, but is 0.99." },
        { new() { RestartJitter = 1 }, new() { RestartJitter = double.NaN }, "RestartJitter must be 0 to 1, but is NaN." },
        { new() { HeartbeatTimeout = TimeSpan.FromMilliseconds(10) }, new() { HeartbeatTimeout = TimeSpan.FromMilliseconds(9) }, "HeartbeatTimeout must be 00:00:00.0100000 to 1.00:00:00 (d.hh:mm:ss), or null, but is 00:00:00.0090000." },
        { new() { HeartbeatTimeout = Day, ReplaceStuck = true }, new() { ReplaceStuck = true }, "ReplaceStuck needs HeartbeatTimeout: without it no run is ever found stuck." },
        { new() { MaxAbandoned = 100 }, new() { MaxAbandoned = 101 }, "MaxAbandoned must be 0 to 100 runs, but is 101." },
        { new() { StopTimeout = TimeSpan.Zero }, new() { StopTimeout = TimeSpan.FromHours(1) + Tick }, "StopTimeout must be 00:00:00 to 01:00:00 (d.hh:mm:ss), but is 01:00:00.0000001." },
        { new() { Restart = RestartPolicy.Temporary }, new() { Restart = (RestartPolicy)3 }, "Restart must be one of Permanent, Transient, Temporary, but is 3." },
        { new() { OnGiveUp = GiveUpAction.StopHost }, new() { OnGiveUp = (GiveUpAction)2 }, "OnGiveUp must be one of Fail, StopHost, or null, but is 2." },
        { new() { PauseAt = ServiceLevel.Survival }, new() { PauseAt = (ServiceLevel)4 }, "PauseAt must be one of Normal, Reduced, Essential, Survival, or null, but is 4." },
    };

    [Theory]
    [MemberData(nameof(Bounds))]
    public void Errors_OnABoundAndOneStepBeyond(WorkerOptions on, WorkerOptions beyond, string error)
    {
        WorkerOptionsValidator.Errors("w", on).ShouldBeEmpty();
        WorkerOptionsValidator.Errors("w", beyond).ShouldBe([$"Worker 'w': {error}"]);
    }

    [Fact]
    public void GroupErrors_AreAllReported() =>
        WorkerOptionsValidator.GroupErrors("g", new() { Strategy = (GroupStrategy)9, MaxRestarts = -1, FailureDecay = TimeSpan.Zero }).ShouldBe([
            "Worker group 'g': Strategy must be one of OneForOne, OneForAll, RestForOne, but is 9.",
            "Worker group 'g': MaxRestarts must be 0 to 1000000 restarts, but is -1.",
            "Worker group 'g': FailureDecay must be 00:00:00.0010000 to 30.00:00:00 (d.hh:mm:ss), but is 00:00:00.",
        ]);

    [Fact]
    public void Names_ThatConfigurationDoesNotHave_AreErrorsThatListThoseThereAre() =>
        SuiteUnderTest.ErrorsOf("""
            { "WorkerGroups": { "ingest": {} }, "CircuitBreakers": { "db": {} },
              "Workers": { "w": { "Group": "ingset", "CircuitBreaker": " DB ", "Bulkhead": "db" } } }
            """).ShouldBe([
            "Resilience:Workers:w:Group must be a name of Resilience:WorkerGroups (ingest), but is \"ingset\"; did you mean ingest?",
            "Resilience:Workers:w:Bulkhead must be a name of Resilience:Bulkheads (there are none), but is \"db\".",
        ]);

    [Fact]
    public void Switches_BesideTheNames_AreReadAndChecked()
    {
        using var suite = new SuiteUnderTest("""{ "Workers": { "SuperviseHostedServices": false, "containUnhandledExceptions": true, "Enabled": false } }""");
        suite.Settings.Workers.SupervisesHostedServices.ShouldBeFalse();
        suite.Settings.Workers.ContainsUnhandledExceptions.ShouldBeTrue();
        suite.Settings.Workers.Enabled.ShouldBeFalse();

        SuiteUnderTest.ErrorsOf("""{ "Workers": { "SuperviseHostedServices": "yes" } }""").ShouldBe(["Resilience:Workers:SuperviseHostedServices must be true or false, but is \"yes\"."]);
    }

    [Fact]
    public void Groups_KillSwitchOff_RestartNobodyElse()
    {
        using var suite = new SuiteUnderTest("""{ "WorkerGroups": { "Enabled": false, "g": { "Strategy": "OneForAll", "MaxRestarts": 2 } } }""");

        suite.Settings.Workers.Groups["g"].Strategy.ShouldBe(GroupStrategy.OneForOne);
        suite.Settings.Workers.Groups["g"].Limits.MaxRestarts.ShouldBe(2);
    }

    [Theory]
    [InlineData(Criticality.Sheddable, null, ServiceLevel.Normal)]
    [InlineData(Criticality.Default, null, ServiceLevel.Essential)]
    [InlineData(Criticality.Critical, null, null)]
    [InlineData(Criticality.Critical, ServiceLevel.Essential, ServiceLevel.Reduced)]
    [InlineData(Criticality.Sheddable, ServiceLevel.Normal, null)]
    public void RunsUpTo_FollowsCriticalityUnlessSaid(Criticality criticality, ServiceLevel? pauseAt, ServiceLevel? highest) =>
        new WorkerPolicy(new() { Criticality = criticality, PauseAt = pauseAt }).RunsUpTo.ShouldBe(highest);
}
