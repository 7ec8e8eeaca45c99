using ResilientHost.Workers;

namespace ResilientHost.Tests.Workers;

/// <summary>One worker on its own; groups, stops, silence and pauses are in the other parts.</summary>
public sealed partial class SupervisorMachineTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private static readonly Exception Failure = new InvalidDataException("broken");

    [Fact]
    public void Start_FirstTime_BeginsTheFirstRunWhichIsNoRestart()
    {
        var group = new Scripted("a");

        group.Start("a").ShouldBe(["a Running(Host)", "begin a#1"]);
        group.Start("a").ShouldBeEmpty();
    }

    [Theory]
    [InlineData(RestartPolicy.Permanent, true, "a BackingOff(Failure)")]
    [InlineData(RestartPolicy.Permanent, false, "a BackingOff(Returned)")]
    [InlineData(RestartPolicy.Transient, true, "a BackingOff(Failure)")]
    [InlineData(RestartPolicy.Transient, false, "a Completed(Returned)")]
    [InlineData(RestartPolicy.Temporary, true, "a Failed(Failure)")]
    [InlineData(RestartPolicy.Temporary, false, "a Completed(Returned)")]
    public void Ended_ByItself_IsStartedAgainAsItsRestartTypeSays(RestartPolicy restart, bool throws, string expected)
    {
        var group = new Scripted("a") { Each = { Restart = restart } }.Started();

        group.End("a", throws ? Failure : null).ShouldBe([expected]);

        group.Pass(Second).ShouldBe(expected.Contains("BackingOff", StringComparison.Ordinal) ? ["a Running(Restart)", "restart a#2"] : []);
    }

    [Fact]
    public void Ended_CancelledByATokenThatIsNotTheStopToken_IsAFailure()
    {
        var group = new Scripted("a").Started();

        group.End("a", new OperationCanceledException()).ShouldBe(["a BackingOff(Failure)"]);
    }

    [Fact]
    public void Ended_OneTickBeforeTheDelayIsOver_BeginsNothing()
    {
        var group = new Scripted("a").Started();
        group.End("a", Failure);

        group.Pass(Second - TimeSpan.FromTicks(1)).ShouldBeEmpty();
        group.Pass(TimeSpan.FromTicks(1)).ShouldBe(["a Running(Restart)", "restart a#2"]);
        group.NextDue.ShouldBeNull();
    }

    [Fact]
    public void Ended_NoDelay_BeginsAtOnce()
    {
        var group = new Scripted("a") { Each = { RestartDelay = TimeSpan.Zero } }.Started();

        group.End("a", Failure).ShouldBe(["a BackingOff(Failure)", "a Running(Restart)", "restart a#2"]);
    }

    [Fact]
    public void Ended_AgainAndAgain_DelaysGrowAndALongRunBeginsAnew()
    {
        var group = new Scripted("a") { Each = { MaxRestarts = 100, RestartWindow = 60 * Second } }.Started();

        DelayAfterRun(Second).ShouldBe(1 * Second);
        DelayAfterRun(Second).ShouldBe(2 * Second);
        DelayAfterRun((60 * Second) - TimeSpan.FromTicks(1)).ShouldBe(4 * Second);
        DelayAfterRun(60 * Second).ShouldBe(1 * Second);
        DelayAfterRun(TimeSpan.Zero).ShouldBe(2 * Second);

        TimeSpan DelayAfterRun(TimeSpan length)
        {
            group.Pass(length);
            group.End("a", Failure);
            var delay = group.NextDue!.Value - group.Now;
            group.Pass(delay);
            return delay;
        }
    }

    [Fact]
    public void Ended_OnceMoreThanMayBe_GivesUpAndStaysFailed()
    {
        var group = new Scripted("a") { Each = { MaxRestarts = 2, RestartDelay = TimeSpan.Zero } }.Started();
        group.End("a", Failure);
        group.End("a", Failure);

        group.End("a", Failure).ShouldBe(["a Failed(GaveUp)", "give up a"]);

        group.Pass(1000 * Second).ShouldBeEmpty();
        group.Start("a").ShouldBeEmpty();
    }

    [Fact]
    public void Ended_MaxRestartsIsZero_TheFirstFailureGivesUp()
    {
        var group = new Scripted("a") { Each = { MaxRestarts = 0 } }.Started();

        group.End("a", Failure).ShouldBe(["a Failed(GaveUp)", "give up a"]);
    }

    [Fact]
    public void Ended_PermanentThatReturnsTooOften_GivesUpToo()
    {
        var group = new Scripted("a") { Each = { Restart = RestartPolicy.Permanent, MaxRestarts = 0 } }.Started();

        group.End("a", exception: null).ShouldBe(["a Failed(GaveUp)", "give up a"]);
    }

    [Fact]
    public void Ended_LimitsWereReloaded_TheNewOnesHold()
    {
        var group = new Scripted("a") { Each = { MaxRestarts = 0 } }.Started();
        group.Each.MaxRestarts = 1;

        group.End("a", Failure).ShouldBe(["a BackingOff(Failure)"]);
    }

    [Fact]
    public void Ended_Twice_TheSecondReportIsIgnored()
    {
        var group = new Scripted("a").Started();
        group.End("a", Failure);

        group.End("a", run: 1, Failure).ShouldBeEmpty();
        group.Pass(Second);
        group.End("a", run: 1, Failure).ShouldBeEmpty();
    }

    [Fact]
    public void Ended_KillSwitchIsOff_FailureGivesUpAtOnceAndReturningIsTheEnd()
    {
        var group = new Scripted("a", "b", "c") { Strategy = GroupStrategy.OneForAll, Each = { Restart = RestartPolicy.Permanent } }.Started();
        group.Enabled = false;

        group.End("a", Failure).ShouldBe(["a Failed(GaveUp)", "give up a alone"]);
        group.End("b", exception: null).ShouldBe(["b Completed(Returned)"]);
        group.States.ShouldBe("Failed Completed Running");
    }

    [Fact]
    public void Tick_KillSwitchWasTurnedOffDuringTheDelay_TheRestartThatWasPromisedIsTheLast()
    {
        var group = new Scripted("a").Started();
        group.End("a", Failure);
        group.Enabled = false;

        group.Pass(Second).ShouldBe(["a Running(Restart)", "restart a#2"]);
        group.End("a", Failure).ShouldBe(["a Failed(GaveUp)", "give up a alone"]);
    }

    [Fact]
    public void Restart_ByHand_BeginsFromWhereverItStandsAndForgetsWhatWasCounted()
    {
        var group = new Scripted("a") { Each = { MaxRestarts = 1 } };
        group.Restart("a").ShouldBeEmpty();
        group.Start("a");

        group.End("a", Failure);
        group.Restart("a").ShouldBe(["a Running(Manual)", "restart a#2"]);
        group.NextDue.ShouldBeNull();

        group.End("a", Failure).ShouldBe(["a BackingOff(Failure)"]);
        group.Pass(Second);
        group.End("a", Failure).ShouldBe(["a Failed(GaveUp)", "give up a"]);
        group.Restart("a").ShouldBe(["a Running(Manual)", "restart a#4"]);

        group.End("a", exception: null);
        group.Restart("a").ShouldBe(["a Running(Manual)", "restart a#5"]);

        group.Restart("a").ShouldBe(["a Stopping(Manual)", "cancel a#5"]);
        group.End("a", new OperationCanceledException()).ShouldBe(["a Running(Manual)", "restart a#6"]);
    }
}
