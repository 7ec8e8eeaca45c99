using ResilientHost.Bulkheads;

namespace ResilientHost.Tests.Bulkheads;

public class PermitPoolTests
{
    [Fact]
    public void TryTakeWithinLimit_RoomCameMeanwhile_AnnouncesNoWaiterAndTakesIt()
    {
        var pool = Create(1);
        pool.TryTake(out _).ShouldBeFalse("no slot is made yet");
        pool.TryTakeWithinLimit(PermitPool.Waiting, out var first).ShouldBeTrue();
        End(ref pool, first).ShouldBeFalse("nobody waits");

        pool.TryTakeWithinLimit(PermitPool.Waiting, out _).ShouldBeTrue();

        pool.IsRefusing.ShouldBeFalse();
    }

    [Fact]
    public void TryTakeWithinLimit_SomeoneWaits_ClosesTheWayInAndBringsTheFreedSlot()
    {
        var pool = Create(1);
        pool.TryTakeWithinLimit(PermitPool.Full, out var lease);
        pool.TryTakeWithinLimit(PermitPool.Waiting, out _).ShouldBeFalse();

        End(ref pool, lease).ShouldBeTrue();

        pool.TryTake(out _).ShouldBeFalse("it is the waiter's");
        pool.IsRefusing.ShouldBeTrue();
        pool.TryTakeFreed(lease.Slot!, forWaiter: true, out var next).ShouldBeTrue();
        pool.TryTakeFreed(lease.Slot!, forWaiter: true, out _).ShouldBeFalse("it is held again");
        pool.Publish(waiting: false, disabled: false);
        End(ref pool, next).ShouldBeFalse();
        pool.Out.ShouldBe(0);
    }

    [Fact]
    public void TryTakeWithinLimit_Full_RefusesUntilAnExit()
    {
        var pool = Create(2);
        pool.TryTakeWithinLimit(PermitPool.Full, out var lease).ShouldBeTrue();
        pool.TryTake(out _).ShouldBeTrue();
        pool.IsRefusing.ShouldBeFalse("nobody has looked yet");
        pool.TryTakeWithinLimit(PermitPool.Full, out _).ShouldBeFalse();
        pool.IsRefusing.ShouldBeTrue();

        End(ref pool, lease).ShouldBeFalse();

        pool.IsRefusing.ShouldBeFalse();
        pool.TryTake(out _).ShouldBeTrue();
        pool.Out.ShouldBe(2);
    }

    [Fact]
    public void ChangeLimit_DownAndUpAgain_KeepsNoMoreSlotsThanItNeeds()
    {
        var pool = Create(1_000);
        var leases = Enumerable.Range(0, 1_000).Select(_ => Take(ref pool)).ToList();
        pool.ChangeLimit(2);
        pool.Publish(waiting: false, disabled: false);

        leases.ForEach(lease => Settle(ref pool, lease));

        pool.SlotCount.ShouldBe(2);
        pool.IsContended.ShouldBeFalse();
        leases.ForEach(lease => lease.Slot!.TryEnd(lease.Generation).ShouldBeFalse());
        Count(ref pool).ShouldBe(2);
        pool.ChangeLimit(5);
        pool.Publish(waiting: false, disabled: false);
        Count(ref pool).ShouldBe(3);
    }

    [Fact]
    public void TakeAnother_BeyondTheLimitAgainAndAgain_UsesRetiredSlotsAgain()
    {
        var pool = Create(2);
        Count(ref pool).ShouldBe(2);

        var slots = Enumerable.Range(0, 100).Select(_ =>
        {
            var lease = pool.TakeAnother();
            pool.IsContended.ShouldBeTrue();
            Settle(ref pool, lease);
            return lease.Slot;
        }).Distinct();

        slots.Count().ShouldBe(1);
        pool.Out.ShouldBe(2);
    }

    [Fact]
    public void TryTake_OneFreeAmongManyHeld_FindsItWhereverItIs()
    {
        var pool = Create(1_000);
        var leases = Enumerable.Range(0, 1_000).Select(_ => Take(ref pool)).ToList();

        foreach (var place in new[] { 0, 999, 500, 1, 998, 31, 32, 33 })
        {
            End(ref pool, leases[place]).ShouldBeFalse();
            pool.TryTake(out var next).ShouldBeTrue();
            next.Slot.ShouldBeSameAs(leases[place].Slot);
            leases[place] = next;
        }

        pool.Out.ShouldBe(1_000);
    }

    private static PermitPool Create(int limit) => new(new object(), limit, disabled: false);

    private static bool End(ref PermitPool pool, in BulkheadLease lease)
    {
        lease.Slot!.TryEnd(lease.Generation).ShouldBeTrue();
        return PermitPool.IsToBeSettled(pool.Freed(lease.Slot!));
    }

    private static void Settle(ref PermitPool pool, in BulkheadLease lease)
    {
        if (End(ref pool, lease))
        {
            pool.TryTakeFreed(lease.Slot!, forWaiter: false, out _).ShouldBeFalse();
            pool.Publish(waiting: false, disabled: false);
        }
    }

    private static BulkheadLease Take(ref PermitPool pool)
    {
        pool.TryTakeWithinLimit(PermitPool.Full, out var lease).ShouldBeTrue();
        return lease;
    }

    private static int Count(ref PermitPool pool)
    {
        var count = 0;
        while (pool.TryTakeWithinLimit(PermitPool.Full, out _))
        {
            count++;
        }

        return count;
    }
}
