using System.Globalization;
using System.Runtime.CompilerServices;
using ResilientHost.Bulkheads;
using ResilientHost.Hosting;

namespace ResilientHost.Tests.Bulkheads;

public class FairShareTests
{
    private readonly ManualTimeProvider _time = new();
    private readonly MonotonicClock _clock;
    private readonly List<Held> _held = [];

    public FairShareTests() => _clock = new MonotonicClock(_time);

    [Fact]
    public void TryEnter_Alone_GetsEverythingAndTheRestIsTheBulkheadsToRefuse()
    {
        var (bulkhead, shares) = Create(new() { MaxConcurrency = 4 });

        Enter(bulkhead, shares, "a", 6).ShouldBe((4, 0, 2));
        shares.Inside.ShouldBe(4);
    }

    [Fact]
    public void TryEnter_AtItsShareWhileAnotherHasTheRest_IsTheCallersOwnFault()
    {
        var (bulkhead, shares) = Create(new() { MaxConcurrency = 4 });
        Enter(bulkhead, shares, "a", 2).ShouldBe((2, 0, 0));
        Enter(bulkhead, shares, "b", 2).ShouldBe((2, 0, 0));

        shares.TryEnter("a", out var ticket, out var refusal).ShouldBeFalse();

        ticket.Place.ShouldBeNull();
        (refusal.Reason, refusal.Source, refusal.IsCallersShare).ShouldBe((RefusalReason.BulkheadFull, "shared", true));
        refusal.RetryAfter!.Value.ShouldBeInRange(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(3));
        shares.Counts.Refused.ShouldBe(1);
    }

    [Fact]
    public void TryEnter_UnderItsShareWithNoRoom_IsTheBulkheadsRefusalAndIsRememberedAsAWish()
    {
        var (bulkhead, shares) = Create(new() { MaxConcurrency = 4 });
        var held = Hold(bulkhead, shares, "flooder", 4);
        Enter(bulkhead, shares, "light", 1).ShouldBe((0, 0, 1));

        held[0].Leave();

        Enter(bulkhead, shares, "flooder", 1).ShouldBe((0, 1, 0));
        Enter(bulkhead, shares, "light", 1).ShouldBe((1, 0, 0));
    }

    [Fact]
    public void TryEnter_AfterTheOthersWishIsForgotten_GetsEverythingAgain()
    {
        var (bulkhead, shares) = Create(new() { MaxConcurrency = 4 });
        Enter(bulkhead, shares, "flooder", 4);
        Enter(bulkhead, shares, "light", 1).ShouldBe((0, 0, 1));
        Enter(bulkhead, shares, "flooder", 1).ShouldBe((0, 1, 0));

        _time.Advance(TimeSpan.FromSeconds(2));

        Enter(bulkhead, shares, "flooder", 1).ShouldBe((0, 0, 1));
    }

    [Fact]
    public void TryEnter_NotLookedAfterOthers_RefuseNobodyForWhatTheyHaveForgotten()
    {
        var (bulkhead, shares) = Create(new() { MaxConcurrency = 4 });
        var held = Hold(bulkhead, shares, "flooder", 4);
        for (var i = 0; i < 40; i++)
        {
            Enter(bulkhead, shares, $"light {i}", 1).ShouldBe((0, 0, 1));
        }

        held.ForEach(static one => one.Leave());
        _time.Advance(TimeSpan.FromSeconds(2));

        Enter(bulkhead, shares, "flooder", 5).ShouldBe((4, 0, 1));
    }

    [Theory]
    [InlineData(3, 6, 2)]
    [InlineData(1, 4, 4)]
    [InlineData(7, 7, 1)]
    public void TryEnter_Weights_DivideTheRoom(double weight, int heavy, int plain)
    {
        BulkheadOptions options = new() { MaxConcurrency = 8 };
        options.PartitionWeights["heavy"] = weight;
        var (bulkhead, shares) = Create(options);
        for (var i = 0; i < 20; i++)
        {
            Enter(bulkhead, shares, "heavy", 1);
            Enter(bulkhead, shares, "plain", 1);
        }

        // Who came first had what was free then; each place that comes free now goes to whom it belongs.
        for (var round = 0; round < 40; round++)
        {
            _time.Advance(TimeSpan.FromMilliseconds(50));
            var leaving = _held[0];
            _held.RemoveAt(0);
            leaving.Leave();
            Enter(bulkhead, shares, round % 2 == 0 ? "heavy" : "plain", 3);
            Enter(bulkhead, shares, round % 2 == 0 ? "plain" : "heavy", 3);
        }

        _held.CountBy(held => held.Key).ToDictionary().ShouldBe(new Dictionary<string, int> { ["heavy"] = heavy, ["plain"] = plain }, ignoreOrder: true);
    }

    [Fact]
    public void TryEnter_WithAQueue_DividesItsPlacesToo()
    {
        var (bulkhead, shares) = Create(new() { MaxConcurrency = 2, QueueLength = 2 });

        shares.TryEnter("a", out _, out _).ShouldBeTrue();
        shares.TryEnter("a", out _, out _).ShouldBeTrue();
        shares.TryEnter("b", out _, out _).ShouldBeTrue();
        shares.TryEnter("b", out _, out _).ShouldBeTrue();

        shares.TryEnter("a", out _, out _).ShouldBeFalse();
    }

    [Fact]
    public void TryEnter_LimitGrowsAndShrinks_CountsAtOnce()
    {
        var (bulkhead, shares) = Create(new() { MaxConcurrency = 2 });
        Enter(bulkhead, shares, "a", 1);
        Enter(bulkhead, shares, "b", 1);
        Enter(bulkhead, shares, "a", 1).ShouldBe((0, 1, 0));

        bulkhead.Apply(new BulkheadOptions { MaxConcurrency = 4 });
        Enter(bulkhead, shares, "a", 1).ShouldBe((1, 0, 0));

        bulkhead.Apply(new BulkheadOptions { MaxConcurrency = 2 });
        Enter(bulkhead, shares, "a", 1).ShouldBe((0, 1, 0));
    }

    [Fact]
    public void TryEnter_MoreCallersThanRoom_LetsEachTryForOnePlace()
    {
        var (bulkhead, shares) = Create(new() { MaxConcurrency = 2 });

        foreach (var i in Enumerable.Range(0, 10))
        {
            Enter(bulkhead, shares, i.ToString(CultureInfo.InvariantCulture), 1).ShouldBe(i < 2 ? (1, 0, 0) : (0, 0, 1));
        }

        Enter(bulkhead, shares, "0", 1).ShouldBe((0, 1, 0));
    }

    [Fact]
    public void Exit_Twice_GivesOnePlaceBack()
    {
        var (_, shares) = Create(new() { MaxConcurrency = 4 });
        shares.TryEnter("a", out var first, out _).ShouldBeTrue();
        shares.TryEnter("a", out _, out _).ShouldBeTrue();

        FairShare.Exit(first);
        FairShare.Exit(first);
        FairShare.ExitRefused(first);
        shares.Inside.ShouldBe(1);

        // The place is used again; the old ticket must not end the new one's.
        shares.TryEnter("b", out var third, out _).ShouldBeTrue();
        FairShare.Exit(first);
        shares.Inside.ShouldBe(2);
        third.Place.ShouldBeSameAs(first.Place);
        FairShare.Exit(default);
    }

    [Fact]
    public void TryEnter_Shadow_NeverRefusesAndCounts()
    {
        var (bulkhead, shares) = Create(new() { MaxConcurrency = 2, Mode = BulkheadMode.Shadow });
        Enter(bulkhead, shares, "a", 1).ShouldBe((1, 0, 0));
        Enter(bulkhead, shares, "b", 1).ShouldBe((1, 0, 0));

        Enter(bulkhead, shares, "a", 3).ShouldBe((3, 0, 0));

        (shares.Counts.Refused, shares.Counts.ShadowRefused, shares.Inside).ShouldBe((0, 3, 5));
    }

    [Fact]
    public void TryEnter_Disabled_CountsNobody()
    {
        var (_, shares) = Create(new() { MaxConcurrency = 2, Mode = BulkheadMode.Disabled });

        shares.TryEnter("a", out var ticket, out _).ShouldBeTrue();

        FairShare.Exit(ticket);
        (shares.Inside, shares.Partitions).ShouldBe((0, 0));
    }

    [Fact]
    public void Apply_OtherWeights_CountForCallersAlreadyKnown()
    {
        BulkheadOptions options = new() { MaxConcurrency = 8 };
        var (bulkhead, shares) = Create(options);
        Enter(bulkhead, shares, "a", 4);
        Enter(bulkhead, shares, "b", 3);
        shares.TryEnter("b", out var fourth, out _).ShouldBeTrue();
        shares.TryEnter("a", out _, out _).ShouldBeFalse();
        FairShare.Exit(fourth);

        options.PartitionWeights["a"] = 3;
        shares.Apply(Policy(options));

        shares.TryEnter("a", out _, out _).ShouldBeTrue();
        shares.TryEnter("b", out _, out _).ShouldBeFalse();
    }

    [Fact]
    public void TryEnter_MoreCallersThanPartitions_EvictsTheIdleAndSharesOneAmongTheRest()
    {
        var (_, shares) = Create(new() { MaxConcurrency = 100, MaxPartitions = 2 });
        shares.TryEnter("a", out var a, out _).ShouldBeTrue();
        shares.TryEnter("b", out _, out _).ShouldBeTrue();
        shares.TryEnter("c", out var c, out _).ShouldBeTrue();
        shares.TryEnter("d", out var d, out _).ShouldBeTrue();
        shares.Partitions.ShouldBe(2);
        d.Place!.Wish!.Caller.ShouldBeSameAs(c.Place!.Wish!.Caller);

        FairShare.Exit(a);
        _time.Advance(TimeSpan.FromSeconds(3));

        shares.TryEnter("c", out var own, out _).ShouldBeTrue();
        own.Place!.Wish!.Caller.Key.ShouldBe("c");
        shares.Partitions.ShouldBe(2);
        FairShare.Exit(c);
        FairShare.Exit(d);
        shares.Inside.ShouldBe(2);
    }

    [Fact]
    public void TryEnter_SmallerMaxPartitionsOrLongSilence_ForgetsKeys()
    {
        BulkheadOptions options = new() { MaxConcurrency = 100 };
        var (_, shares) = Create(options);
        Visit(shares, 50, "x");
        _time.Advance(TimeSpan.FromSeconds(3));
        options.MaxPartitions = 10;
        shares.Apply(Policy(options));
        for (var i = 0; i < 10; i++)
        {
            Visit(shares, 1, "y");
        }

        shares.Partitions.ShouldBe(10);

        for (var minute = 0; minute < 2; minute++)
        {
            _time.Advance(TimeSpan.FromMinutes(1));
            Visit(shares, 1, "z");
        }

        shares.Partitions.ShouldBe(1);
    }

    [Fact]
    public void TryEnter_AMillionCallers_KeepsABoundedNumberAndBoundedMemory()
    {
        var (_, shares) = Create(new() { MaxConcurrency = 100, MaxPartitions = 10_000 });
        Visit(shares, 20_000, "warm");
        List<WeakReference> seen = [];
        for (var i = 0; i < 1_000_000; i++)
        {
            if (i % 100 == 0)
            {
                _time.Advance(TimeSpan.FromMilliseconds(50));
            }

            Visit(shares, i, i % 1_000 == 0 ? seen : null);
        }

        shares.Partitions.ShouldBeLessThanOrEqualTo(10_000);
        GC.Collect();
        seen.Count(static key => key.IsAlive).ShouldBeLessThanOrEqualTo(20, "of a thousand keys, one in a hundred may still be known");
        shares.Inside.ShouldBe(0);

        _time.Advance(TimeSpan.FromSeconds(3));
        shares.TryEnter("flooder", out _, out _).ShouldBeTrue();
    }

    [Fact]
    public void TryEnter_KnownCaller_AllocatesNothing()
    {
        var (_, shares) = Create(new() { MaxConcurrency = 100 });

        AllocatedBytes.Of(() => Cycle(shares, 10_000)).ShouldBe(0);
    }

    [Theory]
    [InlineData(8)]
    [InlineData(800)]
    public async Task TryEnterAndExit_FromManyThreads_ConservePlaces(int room)
    {
        const int Threads = 6;
        var (bulkhead, shares) = Create(new() { MaxConcurrency = room, MaxPartitions = 5 });
        using Barrier start = new(Threads);
        await Task.WhenAll(Enumerable.Range(0, Threads).Select(thread => Task.Factory.StartNew(() => Work(thread), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)));

        (shares.Inside, bulkhead.Snapshot().InFlight).ShouldBe((0, 0));
        _time.Advance(TimeSpan.FromSeconds(5));
        Enter(bulkhead, shares, "alone", room + 2).ShouldBe((room, 0, 2));

        void Work(int thread)
        {
            Random random = new(thread);
            Queue<Held> held = new();
            start.SignalAndWait(TimeSpan.FromMinutes(1)).ShouldBeTrue();
            for (var round = 0; round < 20_000; round++)
            {
                _time.Advance(TimeSpan.FromMilliseconds(random.Next(3)));
                if (Try(bulkhead, shares, random.Next(9).ToString(CultureInfo.InvariantCulture), out var one) == Answer.Admitted)
                {
                    held.Enqueue(one);
                }

                if (held.Count > random.Next(4))
                {
                    var leaving = held.Dequeue();
                    leaving.Leave();
                    leaving.Leave();
                }

                if (round % 1000 == 0)
                {
                    BulkheadOptions options = new() { MaxConcurrency = random.Next(1, room + 1), MaxPartitions = random.Next(1, 9) };
                    options.PartitionWeights["3"] = random.Next(1, 5);
                    options.PartitionBy = "User";
                    bulkhead.Apply(options);
                    shares.Apply(BulkheadPolicy.From("shared", options));
                }
            }

            foreach (var one in held)
            {
                one.Leave();
            }

            start.SignalAndWait(TimeSpan.FromMinutes(1)).ShouldBeTrue();
            bulkhead.Apply(new BulkheadOptions { MaxConcurrency = room });
        }
    }

    private static void Cycle(FairShare shares, int rounds)
    {
        for (var i = 0; i < rounds; i++)
        {
            shares.TryEnter("a", out var a, out _);
            shares.TryEnter("b", out var b, out _);
            FairShare.Exit(a);
            FairShare.ExitRefused(b);
        }
    }

    // Apart, so that no local keeps the key.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Visit(FairShare shares, int caller, List<WeakReference>? seen)
    {
        var key = caller.ToString(CultureInfo.InvariantCulture);
        seen?.Add(new WeakReference(key));
        if (shares.TryEnter(key, out var ticket, out _))
        {
            FairShare.Exit(ticket);
        }
    }

    private static void Visit(FairShare shares, int callers, string prefix)
    {
        for (var i = 0; i < callers; i++)
        {
            if (shares.TryEnter($"{prefix} {i}", out var ticket, out _))
            {
                FairShare.Exit(ticket);
            }
        }
    }

    private (int Admitted, int OverShare, int NoRoom) Enter(Bulkhead bulkhead, FairShare shares, string key, int times)
    {
        int[] answers = new int[3];
        for (var i = 0; i < times; i++)
        {
            var answer = Try(bulkhead, shares, key, out var held);
            answers[(int)answer]++;
            if (answer == Answer.Admitted)
            {
                _held.Add(held);
            }
        }

        return (answers[0], answers[1], answers[2]);
    }

    private static List<Held> Hold(Bulkhead bulkhead, FairShare shares, string key, int times)
    {
        List<Held> all = [];
        for (var i = 0; i < times; i++)
        {
            if (Try(bulkhead, shares, key, out var held) == Answer.Admitted)
            {
                all.Add(held);
            }
        }

        return all;
    }

    private static Answer Try(Bulkhead bulkhead, FairShare shares, string key, out Held held)
    {
        held = default!;
        if (!shares.TryEnter(key, out var ticket, out _))
        {
            return Answer.OverShare;
        }

        if (!bulkhead.TryEnter(out var lease, out _))
        {
            FairShare.ExitRefused(ticket);
            return Answer.NoRoom;
        }

        held = new Held(key, bulkhead, lease, ticket);
        return Answer.Admitted;
    }

    private (Bulkhead Bulkhead, FairShare Shares) Create(BulkheadOptions options)
    {
        var policy = Policy(options);
        Bulkhead bulkhead = new("shared", policy, _clock);
        return (bulkhead, new FairShare(bulkhead, policy, _clock));
    }

    private static BulkheadPolicy Policy(BulkheadOptions options)
    {
        options.PartitionBy = "User";
        return BulkheadPolicy.From("shared", options);
    }

    private enum Answer
    {
        Admitted,
        OverShare,
        NoRoom,
    }

    private sealed record Held(string Key, Bulkhead Bulkhead, BulkheadLease Lease, FairShareTicket Ticket)
    {
        public void Leave()
        {
            Bulkhead.Exit(Lease, CallOutcome.Succeeded);
            FairShare.Exit(Ticket);
        }
    }
}
