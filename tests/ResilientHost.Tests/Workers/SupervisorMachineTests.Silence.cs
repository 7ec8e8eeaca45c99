namespace ResilientHost.Tests.Workers;

public sealed partial class SupervisorMachineTests
{
    [Fact]
    public void Stuck_EndsWhenAsked_CountsAsAFailureHoweverItEnded()
    {
        var group = new Scripted("a") { Each = { MaxRestarts = 1 } }.Started();

        group.Stuck("a").ShouldBe(["a Stopping(Silence)", "cancel a#1"]);
        group.End("a", exception: null).ShouldBe(["a BackingOff(Silence)"]);
        group.Pass(Second).ShouldBe(["a Running(Restart)", "restart a#2"]);

        group.Stuck("a");
        group.End("a", new OperationCanceledException()).ShouldBe(["a Failed(GaveUp)", "give up a"]);
    }

    [Fact]
    public void Stuck_DoesNotEnd_IsAbandonedAndReplacedUntilThereAreTooMany()
    {
        var group = new Scripted("a") { Each = { MaxAbandoned = 2, MaxRestarts = 100, RestartDelay = TimeSpan.Zero } }.Started();

        Hang().ShouldBe(["abandon a#1 after 10 s", "a BackingOff(Silence)", "a Running(Restart)", "restart a#2"]);
        Hang().ShouldBe(["abandon a#2 after 10 s", "a BackingOff(Silence)", "a Running(Restart)", "restart a#3"]);
        Hang().ShouldBe(["abandon a#3 after 10 s", "a Failed(GaveUp)", "give up a"]);

        string[] Hang()
        {
            group.Stuck("a");
            return group.Pass(10 * Second);
        }
    }

    [Fact]
    public void Stuck_AnAbandonedRunEnded_MakesRoomForAnother()
    {
        var group = new Scripted("a") { Each = { MaxAbandoned = 1, MaxRestarts = 100, RestartDelay = TimeSpan.Zero } }.Started();
        group.Stuck("a");
        group.Pass(10 * Second);

        group.End("a", run: 1, exception: null).ShouldBe(["ended after all a#1 0 s"]);

        group.Stuck("a");
        group.Pass(10 * Second).ShouldContain("restart a#3");
    }

    [Fact]
    public void Stuck_CannotBeReplacedAndDoesNotEnd_GivesUp()
    {
        var group = new Scripted("!a").Started();
        group.Stuck("!a");

        group.Pass(10 * Second).ShouldBe(["abandon !a#1 after 10 s", "!a Failed(GaveUp)", "give up !a"]);
    }

    [Fact]
    public void Stuck_OfAnotherRunThanTheCurrent_IsIgnored()
    {
        var group = new Scripted("a").Started();
        group.End("a", Failure);
        group.Stuck("a", run: 1).ShouldBeEmpty();
        group.Pass(Second);

        group.Stuck("a", run: 1).ShouldBeEmpty();
    }

    [Fact]
    public void Stuck_Temporary_IsStoppedAndNotReplaced()
    {
        var group = new Scripted("t").With("t", ResilientHost.RestartPolicy.Temporary).Started();
        group.Stuck("t");

        group.End("t", exception: null).ShouldBe(["t Failed(Silence)"]);
    }

    [Fact]
    public void Stuck_KillSwitchIsOff_IsLeftAlone()
    {
        var group = new Scripted("a") { Enabled = false }.Started();

        group.Stuck("a").ShouldBeEmpty();
    }

    [Fact]
    public void Stuck_TheHostStopsItMeanwhile_IsStoppedAtTheFirstLimitAndNotReplaced()
    {
        var group = new Scripted("a").Started();
        group.Stuck("a");
        group.Pass(4 * Second);
        group.Stop("a").ShouldBeEmpty();

        group.Pass(6 * Second).ShouldBe(["abandon a#1 after 10 s", "a Stopped(Host)"]);
    }

    [Fact]
    public void Stuck_ASiblingFailsMeanwhile_CountsOnce()
    {
        var group = new Scripted("a", "b") { Strategy = ResilientHost.GroupStrategy.OneForAll, Each = { MaxRestarts = 1 } }.Started();
        group.Stuck("b");
        group.End("a", Failure).ShouldBe(["a BackingOff(Failure)"]);

        group.End("b", exception: null).ShouldBe(["b Stopped(Group)"]);
        group.Pass(Second);
        group.States.ShouldBe("Running Running");
    }

    [Fact]
    public void Pause_AndResume_CostNoRestart()
    {
        var group = new Scripted("a") { Each = { MaxRestarts = 0 } }.Started();

        group.Pause("a").ShouldBe(["a Stopping(ServiceLevel)", "cancel a#1"]);
        group.End("a", new OperationCanceledException()).ShouldBe(["a Paused(ServiceLevel)"]);
        group.Pass(1000 * Second).ShouldBeEmpty();
        group.Resume("a").ShouldBe(["a Running(ServiceLevel)", "begin a#2"]);
        group.Resume("a").ShouldBeEmpty();
    }

    [Fact]
    public void Resume_BeforeTheRunEnded_BeginsWhenItHas()
    {
        var group = new Scripted("a").Started();
        group.Pause("a");

        group.Resume("a").ShouldBeEmpty();
        group.End("a", exception: null).ShouldBe(["a Running(ServiceLevel)", "begin a#2"]);
    }

    [Fact]
    public void Pause_DuringTheDelay_StandsStillWhenItIsOver()
    {
        var group = new Scripted("a").Started();
        group.End("a", Failure);
        group.Pause("a").ShouldBeEmpty();

        group.Pass(Second).ShouldBe(["a Paused(ServiceLevel)"]);
        group.Resume("a").ShouldBe(["a Running(ServiceLevel)", "begin a#2"]);
    }

    [Fact]
    public void Pause_DoesNotEndAndCannotBeReplaced_WaitsForItsEndInsteadOfGivingUp()
    {
        var group = new Scripted("!a").Started();
        group.Pause("!a");
        group.Pass(10 * Second).ShouldBe(["abandon !a#1 after 10 s", "!a Paused(ServiceLevel)"]);

        group.Resume("!a").ShouldBe(["!a BackingOff(ServiceLevel)"]);
        group.Pass(1000 * Second).ShouldBeEmpty();
        group.End("!a", run: 1, exception: null).ShouldBe(["ended after all !a#1 1000 s", "!a Running(ServiceLevel)", "begin !a#2"]);
    }

    [Fact]
    public void Pause_AGroupRestartsMeanwhile_ThePausedMemberStaysDown()
    {
        var group = new Scripted("a", "b") { Strategy = ResilientHost.GroupStrategy.OneForAll }.Started();
        group.Pause("b");
        group.End("b", exception: null);
        group.End("a", Failure);

        group.Pass(Second).ShouldContain("restart a#2");
        group.States.ShouldBe("Running Paused");
        group.Resume("b").ShouldBe(["b Running(ServiceLevel)", "begin b#2"]);
    }

    [Theory]
    [InlineData("!a")]
    [InlineData("b")]
    public void Stop_WhileAMemberWaitsForItsHungRun_ItsEndBeginsNothing(string stopped)
    {
        var group = new Scripted("!a", "b").Started();
        group.Pause("!a");
        group.Pass(10 * Second);
        group.Resume("!a");

        group.Stop(stopped);

        group.End("!a", run: 1, exception: null).ShouldBe(["ended after all !a#1 0 s"]);
    }
}
