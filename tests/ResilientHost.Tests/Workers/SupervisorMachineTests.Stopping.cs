namespace ResilientHost.Tests.Workers;

public sealed partial class SupervisorMachineTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Stop_OfARun_EndsItHoweverItEnds(bool throws)
    {
        var group = new Scripted("a").Started();

        group.Stop("a").ShouldBe(["a Stopping(Host)", "cancel a#1"]);
        group.Stop("a").ShouldBeEmpty();
        group.End("a", throws ? Failure : null).ShouldBe(throws ? ["late failure a#1", "a Stopped(Host)"] : ["a Stopped(Host)"]);
        group.Pass(1000 * Second).ShouldBeEmpty();
    }

    [Fact]
    public void Stop_TheRunHadFailedButTheReportComesAfter_IsAStop()
    {
        var group = new Scripted("a").Started();
        group.Stop("a");

        group.End("a", new OperationCanceledException()).ShouldBe(["a Stopped(Host)"]);
        group.NextDue.ShouldBeNull();
    }

    [Fact]
    public void Stop_AtTheMomentTheDelayIsOver_BeginsNothing()
    {
        var group = new Scripted("a").Started();
        group.End("a", Failure);
        group.Pass(Second - TimeSpan.FromTicks(1));

        group.Stop("a").ShouldBe(["a Stopped(Host)"]);
        group.Pass(Second).ShouldBeEmpty();
        group.Restart("a").ShouldBeEmpty();
        group.Start("a").ShouldBeEmpty();
    }

    [Fact]
    public void Stop_TheRunDoesNotEnd_IsAbandonedAtItsLimitAndItsLateEndMovesNothing()
    {
        var group = new Scripted("a").Started();
        group.Stop("a");

        group.Pass((10 * Second) - TimeSpan.FromTicks(1)).ShouldBeEmpty();
        group.Pass(TimeSpan.FromTicks(1)).ShouldBe(["abandon a#1 after 10 s", "a Stopped(Host)"]);
        group.Pass(Second);
        group.End("a", Failure).ShouldBe(["ended after all a#1 1 s", "late failure a#1"]);
        group.States.ShouldBe("Stopped");
    }

    [Fact]
    public void Stop_TheRunEndsAtTheVeryLimit_IsNotAbandoned()
    {
        var group = new Scripted("a").Started();
        group.Stop("a");
        group.Pass((10 * Second) - TimeSpan.FromTicks(1));

        group.End("a", exception: null).ShouldBe(["a Stopped(Host)"]);
        group.Pass(Second).ShouldBeEmpty();
    }

    [Fact]
    public void StopWaitingFor_BeforeTheLimit_AbandonsNow()
    {
        var group = new Scripted("a").Started();
        group.StopWaitingFor("a").ShouldBeEmpty();
        group.Stop("a");
        group.Pass(Second);

        group.StopWaitingFor("a").ShouldBe(["abandon a#1 after 1 s", "a Stopped(Host)"]);
        group.StopWaitingFor("a").ShouldBeEmpty();
    }

    [Fact]
    public void Stop_OfOneMember_EndsTheGroupsRestartAndNothingStartsAgain()
    {
        var group = new Scripted("a", "b", "c") { Strategy = GroupStrategy.OneForAll }.Started();
        group.End("a", Failure);

        group.Stop("c").ShouldBeEmpty("it is stopping already");
        group.End("c", exception: null).ShouldBe(["c Stopped(Host)"]);
        group.Pass(1000 * Second).ShouldBeEmpty();
        group.States.ShouldBe("BackingOff Running Stopped");
        group.Stop("b").ShouldBe(["b Stopping(Host)", "cancel b#1"]);
        group.End("b", exception: null);
        group.Stop("a").ShouldBe(["a Stopped(Host)"]);
    }

    [Fact]
    public void Ended_WhileTheHostStopsASibling_FailsWithoutGivingUpAndIsNotStartedAgain()
    {
        var group = new Scripted("a", "b") { Each = { MaxRestarts = 0 } }.Started();
        group.Stop("b");

        group.End("a", Failure).ShouldBe(["a Failed(Failure)"]);
        group.Pass(1000 * Second).ShouldBe(["abandon b#1 after 1000 s", "b Stopped(Host)"]);
    }

    [Fact]
    public void Stop_WhileTheGroupGivesUp_EveryMemberStillEnds()
    {
        var group = new Scripted("a", "b", "c") { Each = { MaxRestarts = 0 } }.Started();
        group.End("a", Failure).ShouldContain("cancel c#1");

        group.Stop("c");
        group.Stop("b").ShouldBe(["b Stopping(Host)", "cancel b#1"]);
        group.End("c", exception: null).ShouldBe(["c Stopped(Host)"]);
        group.End("b", exception: null).ShouldBe(["b Stopped(Host)"]);
        group.States.ShouldBe("Failed Stopped Stopped");
    }

    [Fact]
    public void Stop_NeverStarted_IsStoppedAndCannotBeStarted()
    {
        var group = new Scripted("a");

        group.Stop("a").ShouldBe(["a Stopped(Host)"]);
        group.Start("a").ShouldBeEmpty();
    }

    [Fact]
    public void OneForAll_ASiblingDoesNotStop_IsAbandonedAndReplacedWithTheGroup()
    {
        var group = new Scripted("a", "b") { Strategy = GroupStrategy.OneForAll }.Started();
        group.End("a", Failure);

        group.Pass(10 * Second).ShouldBe(
            ["abandon b#1 after 10 s", "b Stopped(Group)", "a Running(Restart)", "restart a#2", "b Running(Group)", "restart b#2"]);
        group.End("b", run: 1, Failure).ShouldBe(["ended after all b#1 0 s", "late failure b#1"]);
        group.States.ShouldBe("Running Running");
    }

    [Fact]
    public void OneForAll_ASiblingThatCannotBeReplacedDoesNotStop_TheGroupGivesUp()
    {
        var group = new Scripted("a", "!b") { Strategy = GroupStrategy.OneForAll }.Started();
        group.End("a", Failure);

        group.Pass(10 * Second).ShouldBe(["abandon !b#1 after 10 s", "!b Failed(GaveUp)", "give up !b", "a Failed(GaveUp)"]);
    }
}
