using ResilientHost.Bulkheads;
using ResilientHost.Hosting;

namespace ResilientHost.Tests.Bulkheads;

/// <summary>Calls while another thread holds the lock of a fair share: one that reads its status, and is held up where it reads the time.</summary>
public sealed class FairShareContentionTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly HeldUpTime _time = new();
    private readonly MonotonicClock _clock;

    public FairShareContentionTests() => _clock = new MonotonicClock(_time);

    public void Dispose() => _time.LetGo();

    [Fact]
    public void TryEnterAndExit_WithRoomForAll_WaitForNobody()
    {
        var shares = Create(10);
        Visit(shares, "a");
        var held = HoldLock(shares);
        FairShareTicket stays = default, leaves = default;
        Unhindered(() =>
        {
            shares.TryEnter("b", out stays, out _).ShouldBeTrue();
            shares.TryEnter("c", out leaves, out _).ShouldBeTrue();
            FairShare.Exit(leaves);
            FairShare.Exit(leaves);
            FairShare.ExitRefused(leaves);
        });

        LetGo(held);
        (shares.Inside, shares.Partitions).ShouldBe((1, 3));
        stays.Place!.Wish!.Caller.Key.ShouldBe("b");
        FairShare.Exit(leaves);
        FairShare.Exit(stays);
        FairShare.Exit(stays);
        shares.Inside.ShouldBe(0);
    }

    [Fact]
    public void TryEnter_WithRoomForAll_CountsForTheNextOnesShare()
    {
        var shares = Create(4);
        Visit(shares, "a");
        var held = HoldLock(shares);
        Unhindered(() =>
        {
            shares.TryEnter("b", out _, out _).ShouldBeTrue();
            shares.TryEnter("b", out _, out _).ShouldBeTrue();
        });

        LetGo(held);
        shares.TryEnter("a", out _, out _).ShouldBeTrue();
        shares.TryEnter("a", out _, out _).ShouldBeTrue();
        shares.TryEnter("a", out _, out var refusal).ShouldBeFalse();
        refusal.IsCallersShare.ShouldBeTrue();
    }

    [Fact]
    public void TryEnter_BeyondTheRoomForAll_WaitsUntilItIsKnownWhoseItIs()
    {
        var shares = Create(4);
        Enter(shares, "a", 1);
        var held = HoldLock(shares);
        Unhindered(() =>
        {
            shares.TryEnter("b", out _, out _).ShouldBeTrue();
            shares.TryEnter("b", out _, out _).ShouldBeTrue();
        });

        AssertWaits(shares, "b", held);
        shares.Inside.ShouldBe(4);
        shares.TryEnter("b", out _, out var refusal).ShouldBeFalse();
        refusal.IsCallersShare.ShouldBeTrue();
    }

    [Fact]
    public void TryEnter_BeforeAnybodyHasCounted_Waits()
    {
        var shares = Create(4);
        var held = HoldLock(shares);
        AssertWaits(shares, "b", held);
        shares.Inside.ShouldBe(1);
    }

    [Fact]
    public void TryEnter_AfterASmallerLimitWasApplied_Waits()
    {
        var policy = Policy(100);
        Bulkhead bulkhead = new("shared", policy, _clock);
        FairShare shares = new(bulkhead, policy, _clock);
        Visit(shares, "a");
        bulkhead.Apply(new BulkheadOptions { MaxConcurrency = 1 });
        shares.Apply(Policy(1));

        var held = HoldLock(shares);
        AssertWaits(shares, "b", held);
    }

    [Fact]
    public void Exit_OfACallThatWasCounted_WaitsForNobodyAndGivesItsPlaceBack()
    {
        var shares = Create(4);
        shares.TryEnter("a", out _, out _).ShouldBeTrue();
        shares.TryEnter("a", out var leaving, out _).ShouldBeTrue();
        var held = HoldLock(shares);
        Unhindered(() => FairShare.ExitRefused(leaving));

        LetGo(held);
        shares.Inside.ShouldBe(1);
        shares.TryEnter("b", out var next, out _).ShouldBeTrue();
        next.Place.ShouldBeSameAs(leaving.Place);
    }

    [Fact]
    public void TryEnter_OneAfterTheOther_CountNotAsTogether()
    {
        var shares = Create(20);
        Enter(shares, "a", 8);
        var held = HoldLock(shares);
        Unhindered(() =>
        {
            for (var i = 0; i < 8; i++)
            {
                Visit(shares, "b");
            }
        });

        LetGo(held);
        Enter(shares, "a", 10);
        shares.Inside.ShouldBe(18, "with a peak of eight more would be kept for b");
    }

    [Fact]
    public void Exit_OfACallThatLeftWord_KeepsNothingOfIt()
    {
        var shares = Create(100);
        Visit(shares, "a");
        var held = HoldLock(shares);
        List<FairSharePlace> made = [];
        Unhindered(() =>
        {
            for (var i = 0; i < 10; i++)
            {
                shares.TryEnter("b", out var ticket, out _).ShouldBeTrue();
                made.Add(ticket.Place!);
                FairShare.Exit(ticket);
            }
        });
        LetGo(held);

        for (var i = 0; i < 12; i++)
        {
            shares.TryEnter("c", out var ticket, out _).ShouldBeTrue();
            made.ShouldNotContain(ticket.Place!, "places made in need are not kept");
        }
    }

    /// <summary>Asks while the lock is held; then lets go, and sees that the call was counted by itself.</summary>
    private void AssertWaits(FairShare shares, string key, Thread holder)
    {
        FairShareTicket ticket = default;
        var call = Start(() => shares.TryEnter(key, out ticket, out _));
        HeldUpTime.AwaitWaiting(call);

        LetGo(holder);
        call.Join(Patience).ShouldBeTrue();

        // The thread may have been seen waiting for something else, but only who leaves word has its key at its place.
        ticket.Place!.Key.ShouldBeNull();
    }

    private FairShare Create(int room)
    {
        var policy = Policy(room);
        return new FairShare(new Bulkhead("shared", policy, _clock), policy, _clock);
    }

    private static BulkheadPolicy Policy(int room) => BulkheadPolicy.From("shared", new BulkheadOptions { MaxConcurrency = room, PartitionBy = "User" });

    private static void Enter(FairShare shares, string key, int times)
    {
        for (var i = 0; i < times; i++)
        {
            shares.TryEnter(key, out _, out _).ShouldBeTrue($"call {i}");
        }
    }

    private static void Visit(FairShare shares, string key)
    {
        shares.TryEnter(key, out var ticket, out _).ShouldBeTrue();
        FairShare.Exit(ticket);
    }

    private static void Unhindered(ThreadStart calls) => Start(calls).Join(Patience).ShouldBeTrue("it must not wait for the lock");

    private static Thread Start(ThreadStart work)
    {
        Thread thread = new(work) { IsBackground = true };
        thread.Start();
        return thread;
    }

    /// <summary>Reads the status on a thread of its own, which stops with the lock in its hands.</summary>
    private Thread HoldLock(FairShare shares) => _time.HoldUp(() => _ = shares.Inside);

    private void LetGo(Thread holder)
    {
        _time.LetGo();
        holder.Join(Patience).ShouldBeTrue();
    }
}
