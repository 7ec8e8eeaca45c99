using ResilientHost.Bulkheads;

namespace ResilientHost.Tests.Bulkheads;

public class PermitPoolTests
{
    [Fact]
    public void TryAnnounceWaiter_RoomCameMeanwhile_FailsSoThatTheCallerTakesIt()
    {
        PermitPool pool = new();

        pool.TryAnnounceWaiter(1).ShouldBeFalse();

        pool.TryTake(1, out _).ShouldBeFalse("no slot is made yet");
        pool.Take(1, pastWaiters: false, out _).ShouldBe(PermitAnswer.Taken);
    }

    [Fact]
    public void End_SomeoneWaits_KeepsThePermitOutAndHandsTheSlotOver()
    {
        PermitPool pool = new();
        pool.Take(1, pastWaiters: false, out var lease);
        pool.TryAnnounceWaiter(1).ShouldBeTrue();

        var slot = pool.End(lease).ShouldNotBeNull();

        pool.Out.ShouldBe(1);
        pool.End(lease).ShouldBeNull("it is ended already");
        pool.Return(slot);
        pool.Take(1, pastWaiters: false, out _).ShouldBe(PermitAnswer.Full);
        pool.Take(1, pastWaiters: true, out var next).ShouldBe(PermitAnswer.Taken);
        pool.NobodyWaits();
        pool.End(next).ShouldBeNull();
        pool.Out.ShouldBe(0);
    }
}
