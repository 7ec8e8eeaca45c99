namespace ResilientHost.Tests.Workers;

public sealed partial class SupervisorMachineTests
{
    [Fact]
    public void OneForOne_AMemberFails_NobodyElseIsTouched()
    {
        var group = new Scripted("a", "b", "c").Started();

        group.End("b", Failure).ShouldBe(["b BackingOff(Failure)"]);
        group.End("c", Failure).ShouldBe(["c BackingOff(Failure)"]);

        group.Pass(Second).ShouldBe(["b Running(Restart)", "restart b#2", "c Running(Restart)", "restart c#2"]);
        group.RunOf("a").ShouldBe(1);
    }

    [Fact]
    public void OneForAll_AMemberFails_OthersStopOneByOneLastFirstAndAllStartInOrder()
    {
        var group = new Scripted("a", "b", "c", "d") { Strategy = GroupStrategy.OneForAll }.Started();

        group.End("b", Failure).ShouldBe(["b BackingOff(Failure)", "d Stopping(Group)", "cancel d#1"]);
        group.End("d", new OperationCanceledException()).ShouldBe(["d Stopped(Group)", "c Stopping(Group)", "cancel c#1"]);
        group.End("c", exception: null).ShouldBe(["c Stopped(Group)", "a Stopping(Group)", "cancel a#1"]);
        group.End("a", exception: null).ShouldBe(["a Stopped(Group)"]);

        group.Pass(Second).ShouldBe(
            ["a Running(Group)", "restart a#2", "b Running(Restart)", "restart b#2", "c Running(Group)", "restart c#2", "d Running(Group)", "restart d#2"]);
    }

    [Fact]
    public void OneForAll_DelayIsOverBeforeTheSiblingsStopped_StartsWhenTheLastOneHas()
    {
        var group = new Scripted("a", "b") { Strategy = GroupStrategy.OneForAll }.Started();
        group.End("a", Failure);

        group.Pass(5 * Second).ShouldBeEmpty();
        group.NextDue.ShouldBe(10 * Second, "only the limit of the stop is left to wait for");

        group.End("b", exception: null).ShouldBe(["b Stopped(Group)", "a Running(Restart)", "restart a#2", "b Running(Group)", "restart b#2"]);
    }

    [Fact]
    public void RestForOne_AMemberFails_ThoseAfterItGoWithItAndThoseBeforeStay()
    {
        var group = new Scripted("a", "b", "c") { Strategy = GroupStrategy.RestForOne }.Started();

        group.End("b", Failure).ShouldBe(["b BackingOff(Failure)", "c Stopping(Group)", "cancel c#1"]);
        group.End("c", exception: null);

        group.Pass(Second).ShouldBe(["b Running(Restart)", "restart b#2", "c Running(Group)", "restart c#2"]);
        group.RunOf("a").ShouldBe(1);
    }

    [Fact]
    public void RestForOne_AnEarlierMemberFailsMeanwhile_TakesAllAfterItAlongAndBothDelaysHold()
    {
        var group = new Scripted("a", "b", "c") { Strategy = GroupStrategy.RestForOne }.Started();
        group.End("c", Failure);
        group.Pass(Second / 2);

        group.End("a", Failure).ShouldBe(["a BackingOff(Failure)", "b Stopping(Group)", "cancel b#1"]);
        group.End("b", exception: null).ShouldBe(["b Stopped(Group)"]);

        group.Pass(Second / 2).ShouldBeEmpty();
        group.Pass(Second / 2).ShouldBe(
            ["a Running(Restart)", "restart a#2", "b Running(Group)", "restart b#2", "c Running(Restart)", "restart c#2"]);
    }

    [Fact]
    public void OneForAll_ATransientHadCompleted_IsStartedAgainWithTheOthers()
    {
        var group = new Scripted("a", "b") { Strategy = GroupStrategy.OneForAll }.Started();
        group.End("a", exception: null).ShouldBe(["a Completed(Returned)"]);
        group.End("b", Failure).ShouldBe(["b BackingOff(Failure)"]);

        group.Pass(Second).ShouldBe(["a Running(Group)", "restart a#2", "b Running(Restart)", "restart b#2"]);
    }

    [Fact]
    public void OneForAll_ATemporaryIsStoppedForASibling_IsNotStartedAgain()
    {
        var group = new Scripted("a", "t") { Strategy = GroupStrategy.OneForAll }.With("t", RestartPolicy.Temporary).Started();
        group.End("a", Failure).ShouldBe(["a BackingOff(Failure)", "t Stopping(Group)", "cancel t#1"]);
        group.End("t", exception: null);

        group.Pass(Second).ShouldBe(["a Running(Restart)", "restart a#2"]);
        group.States.ShouldBe("Running Stopped");
    }

    [Fact]
    public void OneForAll_ATemporaryFails_RestartsNobodyAndIsNotCounted()
    {
        var group = new Scripted("a", "t") { Strategy = GroupStrategy.OneForAll, Each = { MaxRestarts = 0 } }.With("t", RestartPolicy.Temporary).Started();

        group.End("t", Failure).ShouldBe(["t Failed(Failure)"]);
        group.States.ShouldBe("Running Failed");
    }

    [Fact]
    public void OneForAll_SiblingsFailWhileTheGroupStops_CountOnceAndAreTold()
    {
        // One broken dependency fails everybody at the same moment.
        var group = new Scripted("a", "b", "c") { Strategy = GroupStrategy.OneForAll, Each = { MaxRestarts = 1 } }.Started();

        group.End("a", Failure).ShouldBe(["a BackingOff(Failure)", "c Stopping(Group)", "cancel c#1"]);
        group.End("b", Failure).ShouldBe(["late failure b#1", "b Stopped(Group)"]);
        group.End("c", Failure).ShouldBe(["late failure c#1", "c Stopped(Group)"]);

        group.Pass(Second).Length.ShouldBe(6);
        group.States.ShouldBe("Running Running Running");
    }

    [Fact]
    public void OneForAll_AMemberFailsRightAfterTheGroupRestarted_CountsAgain()
    {
        var group = new Scripted("a", "b") { Strategy = GroupStrategy.OneForAll, Each = { MaxRestarts = 1 } }.Started();
        group.End("a", Failure);
        group.End("b", exception: null);
        group.Pass(Second);

        group.End("b", Failure).ShouldBe(["b Failed(GaveUp)", "give up b", "a Stopping(Group)", "cancel a#2"]);
    }

    [Fact]
    public void GiveUp_InAGroup_StopsAllLastFirstAndAllAreFailed()
    {
        var group = new Scripted("a", "b", "c", "d") { Each = { MaxRestarts = 1 } }.Started();
        group.End("c", Failure);

        group.End("b", Failure).ShouldBe(["b Failed(GaveUp)", "give up b", "d Stopping(Group)", "cancel d#1"]);
        group.Pass(Second).ShouldBeEmpty("nobody comes back from a delay now");
        group.End("d", exception: null).ShouldBe(["d Failed(GaveUp)", "a Stopping(Group)", "cancel a#1"]);
        group.End("a", Failure).ShouldBe(["late failure a#1", "a Failed(GaveUp)", "c Failed(GaveUp)"]);
        group.States.ShouldBe("Failed Failed Failed Failed");
        group.NextDue.ShouldBeNull();
    }

    [Fact]
    public void GiveUp_BeforeAllWereStarted_TheRestIsNotStarted()
    {
        var group = new Scripted("a", "b") { Each = { MaxRestarts = 0 } };
        group.Start("a");
        group.End("a", Failure);

        group.Start("b").ShouldBe(["b Failed(GaveUp)"]);
    }

    [Fact]
    public void Start_WhileTheGroupRestarts_BeginsWithTheOthersATemporaryToo()
    {
        var group = new Scripted("a", "b") { Strategy = GroupStrategy.OneForAll }.With("b", RestartPolicy.Temporary);
        group.Start("a");
        group.End("a", Failure);

        group.Start("b").ShouldBeEmpty();
        group.Pass(Second).ShouldBe(["a Running(Restart)", "restart a#2", "b Running(Host)", "begin b#1"]);
    }

    [Fact]
    public void Sweep_KillSwitchWasTurnedOffMeanwhile_TheGroupComesBackOnceMore()
    {
        var group = new Scripted("a", "b") { Strategy = GroupStrategy.OneForAll }.Started();
        group.End("a", Failure);
        group.Enabled = false;
        group.End("b", exception: null);

        group.Pass(Second).ShouldBe(["a Running(Restart)", "restart a#2", "b Running(Group)", "restart b#2"]);
        group.End("a", Failure).ShouldBe(["a Failed(GaveUp)", "give up a alone"]);
    }

    [Fact]
    public void Restart_ByHandDuringAGroupsDelay_SkipsTheDelay()
    {
        var group = new Scripted("a", "b") { Strategy = GroupStrategy.OneForAll }.Started();
        group.End("a", Failure);
        group.End("b", exception: null);

        group.Restart("a").ShouldBe(["a Running(Restart)", "restart a#2", "b Running(Group)", "restart b#2"]);
    }

    [Fact]
    public void Restart_ByHandAfterTheGroupGaveUp_BringsBackThatMember()
    {
        var group = new Scripted("a", "b") { Strategy = GroupStrategy.OneForAll, Each = { MaxRestarts = 0 } }.Started();
        group.End("a", Failure);
        group.Restart("b").ShouldBeEmpty("the group is still giving up");
        group.End("b", exception: null);

        group.Restart("b").ShouldBe(["b Running(Manual)", "restart b#2"]);
        group.States.ShouldBe("Failed Running");
    }

    [Fact]
    public void Restart_ByHandOfOneMemberOfAGroupThatGaveUp_NeitherRevivesTheOthersLaterNorKeepsNewOnesOut()
    {
        var group = new Scripted("a", "b", "c") { Strategy = GroupStrategy.OneForAll, Each = { MaxRestarts = 0 } };
        group.Start("a");
        group.Start("b");
        group.End("a", Failure);
        group.End("b", exception: null);
        group.Each.MaxRestarts = 5;
        group.Restart("b");

        group.Start("c").ShouldBe(["c Running(Host)", "begin c#1"]);
        group.End("b", Failure);
        group.End("c", exception: null);
        group.Pass(Second).ShouldBe(["b Running(Restart)", "restart b#3", "c Running(Group)", "restart c#2"]);
        group.States.ShouldBe("Failed Running Running");
    }

    [Fact]
    public void Restart_ByHandWhileTheGroupGivesUp_ChangesNothing()
    {
        var group = new Scripted("a", "b", "c") { Each = { MaxRestarts = 0 } };
        group.Start("a");
        group.Start("b");
        group.End("a", Failure);

        group.Restart("a").ShouldBeEmpty();
        group.Start("c").ShouldBe(["c Failed(GaveUp)"]);
    }
}
