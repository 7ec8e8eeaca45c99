using ResilientHost.Bulkheads;
using ResilientHost.Hosting;

namespace ResilientHost.Tests.Bulkheads;

/// <summary>Calls while another thread holds the lock of a fair share: it is held up where it reads the time.</summary>
public sealed class FairShareContentionTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly HeldUpTime _time = new();
    private readonly MonotonicClock _clock;

    public FairShareContentionTests() => _clock = new MonotonicClock(_time);

    public void Dispose() => _time.Dispose();

    [Fact]
    public void TryEnterAndExit_WithRoomForAll_WaitForNobody()
    {
        var (_, shares) = Create(10);
        Visit(shares, "a");
        var holder = HoldLock(shares, "a");

        shares.TryEnter("b", out var stays, out _).ShouldBeTrue();
        shares.TryEnter("c", out var leaves, out _).ShouldBeTrue();
        FairShare.Exit(leaves);
        FairShare.Exit(leaves);
        FairShare.ExitRefused(leaves);

        holder.Release();
        (shares.Inside, shares.Partitions).ShouldBe((2, 3));
        stays.Place!.Wish!.Caller.Key.ShouldBe("b");
        FairShare.Exit(stays);
        FairShare.Exit(leaves);
        shares.Inside.ShouldBe(1);
    }

    [Fact]
    public void TryEnter_WithRoomForAll_CountsForTheNextOnesShare()
    {
        var (_, shares) = Create(4);
        Visit(shares, "a");
        var holder = HoldLock(shares, "a");
        shares.TryEnter("b", out _, out _).ShouldBeTrue();
        shares.TryEnter("b", out _, out _).ShouldBeTrue();
        holder.Release();

        shares.TryEnter("a", out _, out _).ShouldBeTrue();

        shares.TryEnter("a", out _, out var refusal).ShouldBeFalse();
        refusal.IsCallersShare.ShouldBeTrue();
    }

    [Fact]
    public void TryEnter_BeyondTheRoomForAll_WaitsUntilItIsKnownWhoseItIs()
    {
        var (_, shares) = Create(4);
        Visit(shares, "a");
        var holder = HoldLock(shares, "a");
        for (var i = 0; i < 2; i++)
        {
            shares.TryEnter("b", out _, out _).ShouldBeTrue();
        }

        Thread third = new(() => shares.TryEnter("b", out _, out _)) { IsBackground = true };
        third.Start();
        AwaitWaiting(third);

        holder.Release();
        third.Join(Patience).ShouldBeTrue();
        shares.Inside.ShouldBe(4);
        shares.TryEnter("b", out _, out var refusal).ShouldBeFalse();
        refusal.IsCallersShare.ShouldBeTrue();
    }

    [Fact]
    public void TryEnter_BeforeAnybodyHasCounted_Waits()
    {
        var (_, shares) = Create(4);
        var holder = HoldLock(shares, "a");
        Thread second = new(() => shares.TryEnter("b", out _, out _)) { IsBackground = true };
        second.Start();
        AwaitWaiting(second);

        holder.Release();
        second.Join(Patience).ShouldBeTrue();
        shares.Inside.ShouldBe(2);
    }

    [Fact]
    public void Exit_OfACallThatWasCounted_WaitsForNobodyAndGivesItsPlaceBack()
    {
        var (_, shares) = Create(4);
        for (var i = 0; i < 3; i++)
        {
            shares.TryEnter("a", out _, out _).ShouldBeTrue();
        }

        shares.TryEnter("a", out var leaving, out _).ShouldBeTrue();
        var holder = HoldLock(shares, "b");
        FairShare.ExitRefused(leaving);
        holder.Release();

        shares.Inside.ShouldBe(4, "one has left before the holder came in");
    }

    private (Bulkhead Bulkhead, FairShare Shares) Create(int room)
    {
        var policy = BulkheadPolicy.From("shared", new BulkheadOptions { MaxConcurrency = room, PartitionBy = "User" });
        Bulkhead bulkhead = new("shared", policy, _clock);
        return (bulkhead, new FairShare(bulkhead, policy, _clock));
    }

    private static void AwaitWaiting(Thread thread) =>
        SpinWait.SpinUntil(() => thread.ThreadState.HasFlag(ThreadState.WaitSleepJoin), Patience).ShouldBeTrue("it must wait for the lock");

    private static void Visit(FairShare shares, string key)
    {
        shares.TryEnter(key, out var ticket, out _).ShouldBeTrue();
        FairShare.Exit(ticket);
    }

    /// <summary>Enters on a thread of its own, which stops with the lock in its hands.</summary>
    private Holder HoldLock(FairShare shares, string key)
    {
        Holder holder = new(_time, () => shares.TryEnter(key, out _, out _));
        holder.Start();
        return holder;
    }

    private sealed class Holder(HeldUpTime time, ThreadStart work)
    {
        private readonly Thread _thread = new(work) { IsBackground = true };

        public void Start()
        {
            time.HoldUp(_thread);
            _thread.Start();
            time.AwaitHeldUp(Patience);
        }

        public void Release()
        {
            time.LetGo();
            _thread.Join(Patience).ShouldBeTrue();
        }
    }

    /// <summary>Stands still, and one thread with it.</summary>
    private sealed class HeldUpTime : TimeProvider, IDisposable
    {
        private readonly ManualResetEventSlim _reached = new();
        private readonly ManualResetEventSlim _released = new();
        private volatile Thread? _heldUp;

        public void HoldUp(Thread thread) => _heldUp = thread;

        public void AwaitHeldUp(TimeSpan patience) => _reached.Wait(patience).ShouldBeTrue();

        public void LetGo() => _released.Set();

        public override long GetTimestamp()
        {
            if (Thread.CurrentThread == _heldUp)
            {
                _reached.Set();
                _released.Wait();
            }

            return 0;
        }

        public void Dispose()
        {
            _released.Set();
            _reached.Dispose();
            _released.Dispose();
        }
    }
}
