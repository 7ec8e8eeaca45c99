using Microsoft.Extensions.Options;
using ResilientHost.Bulkheads;
using ResilientHost.Hosting;

namespace ResilientHost.Tests.Bulkheads;

public partial class BulkheadTests
{
    private readonly ManualTimeProvider _time = new();

    [Fact]
    public void TryEnter_UpToTheLimit_AdmitsThenRefuses()
    {
        var bulkhead = Create(limit: 2);
        var first = Enter(bulkhead);
        var second = Enter(bulkhead);

        bulkhead.TryEnter(out var none, out var refusal).ShouldBeFalse();

        none.ShouldBe(default);
        refusal.Reason.ShouldBe(RefusalReason.BulkheadFull);
        refusal.Source.ShouldBe("checkout");
        bulkhead.Snapshot().ShouldBe(new BulkheadSnapshot { Limit = 2, InFlight = 2, Queued = 0, Refused = 1 });
        bulkhead.Exit(first, CallOutcome.Succeeded);
        bulkhead.Exit(second, CallOutcome.Failed);
        ShouldBeEmptyAndWhole(bulkhead);
    }

    [Theory]
    [InlineData(0.0, 1.0)]
    [InlineData(0.25, 1.5)]
    [InlineData(0.999, 2.998)]
    public void TryEnter_Refused_HintsWhenToComeBackBetweenOneAndThreeSeconds(double random, double seconds)
    {
        Bulkhead bulkhead = new("checkout", BulkheadPolicy.From("checkout", Options(1)), new MonotonicClock(_time), random: () => random);
        Enter(bulkhead);

        bulkhead.TryEnter(out _, out var refusal).ShouldBeFalse();

        refusal.RetryAfter.ShouldBe(TimeSpan.FromSeconds(seconds));
    }

    [Fact]
    public void Exit_TwiceOrDefaultOrForeign_MintsNoPermit()
    {
        var bulkhead = Create(limit: 2);
        var other = Create(limit: 2);
        var lease = Enter(bulkhead);
        var kept = Enter(bulkhead);
        var foreign = Enter(other);

        bulkhead.Exit(default, CallOutcome.Succeeded);
        bulkhead.Exit(foreign, CallOutcome.Succeeded);
        bulkhead.Snapshot().InFlight.ShouldBe(2);

        bulkhead.Exit(lease, CallOutcome.Succeeded);
        bulkhead.Exit(lease, CallOutcome.Succeeded);
        bulkhead.Snapshot().InFlight.ShouldBe(1);
        other.Snapshot().InFlight.ShouldBe(1);

        bulkhead.Exit(kept, CallOutcome.Succeeded);
        ShouldBeEmptyAndWhole(bulkhead);
    }

    [Fact]
    public void Exit_StaleLeaseWhoseSlotIsInUseAgain_LeavesTheNewHolderInside()
    {
        var bulkhead = Create(limit: 1);
        var stale = Enter(bulkhead);
        bulkhead.Exit(stale, CallOutcome.Succeeded);
        var current = Enter(bulkhead);
        current.Slot.ShouldBe(stale.Slot, "else this test shows nothing");

        bulkhead.Exit(stale, CallOutcome.Succeeded);

        bulkhead.Snapshot().InFlight.ShouldBe(1);
        bulkhead.TryEnter(out _, out _).ShouldBeFalse();
        bulkhead.Exit(current, CallOutcome.Succeeded);
        ShouldBeEmptyAndWhole(bulkhead);
    }

    [Fact]
    public void TryEnter_NoLimit_AdmitsAllAndCounts()
    {
        Bulkhead bulkhead = new("endpoint", new BulkheadOptions { MaxConcurrency = null, QueueLength = 5 }, _time);

        var leases = Enumerable.Range(0, 5_000).Select(_ => Enter(bulkhead)).ToList();

        bulkhead.Snapshot().ShouldBe(new BulkheadSnapshot { Limit = int.MaxValue, InFlight = 5_000 });
        bulkhead.CanQueue.ShouldBeFalse();
        leases.ForEach(lease => bulkhead.Exit(lease, CallOutcome.Succeeded));
        bulkhead.Snapshot().InFlight.ShouldBe(0);
    }

    [Fact]
    public void TryEnter_Shadow_AdmitsBeyondTheLimitAndCountsNoRefusal()
    {
        var bulkhead = Create(limit: 1, mode: BulkheadMode.Shadow);
        var first = Enter(bulkhead);
        var second = Enter(bulkhead);

        bulkhead.Snapshot().ShouldBe(new BulkheadSnapshot { Limit = 1, InFlight = 2, Refused = 0 });
        bulkhead.ShadowRefused.ShouldBe(1);
        bulkhead.Exit(first, CallOutcome.Succeeded);
        bulkhead.Exit(second, CallOutcome.Succeeded);
        bulkhead.Snapshot().InFlight.ShouldBe(0);
    }

    [Fact]
    public void TryEnter_Disabled_AdmitsAllWithADefaultLease()
    {
        var bulkhead = Create(limit: 1, mode: BulkheadMode.Disabled);
        var first = Enter(bulkhead);
        Enter(bulkhead);

        first.ShouldBe(default);
        bulkhead.Snapshot().InFlight.ShouldBe(0);
        bulkhead.CanQueue.ShouldBeFalse();
        bulkhead.Exit(first, CallOutcome.Succeeded);
        bulkhead.Snapshot().InFlight.ShouldBe(0);
    }

    [Fact]
    public void TryEnterUncounted_Full_CountsNoRefusal()
    {
        var bulkhead = Create(limit: 1, queue: 1);
        bulkhead.TryEnterUncounted(out var lease).ShouldBeTrue();

        bulkhead.TryEnterUncounted(out _).ShouldBeFalse();

        bulkhead.CanQueue.ShouldBeTrue();
        bulkhead.Snapshot().Refused.ShouldBe(0);
        bulkhead.Exit(lease, CallOutcome.Succeeded);
    }

    [Fact]
    public void Constructor_SeveralErrors_ThrowsAllOfThem()
    {
        BulkheadOptions options = new() { MaxConcurrency = 0, QueueLength = -1, QueueTimeout = TimeSpan.Zero };

        Should.Throw<OptionsValidationException>(() => new Bulkhead("checkout", options)).Failures.Count().ShouldBe(3);
        Should.Throw<ArgumentNullException>(() => new Bulkhead(null!, new BulkheadOptions()));
        Should.Throw<ArgumentNullException>(() => new Bulkhead("checkout", null!));
    }

    [Fact]
    public void Constructor_OptionsChangedAfterwards_AreNotSeen()
    {
        var options = Options(1);
        Bulkhead bulkhead = new("checkout", options, _time);
        options.MaxConcurrency = 100;

        Enter(bulkhead);

        bulkhead.TryEnter(out _, out _).ShouldBeFalse();
    }

    [Fact]
    public async Task EnterExit_AfterWarmUp_AllocatesNothing()
    {
        var bulkhead = Create(limit: 10, queue: 10);
        bulkhead.Exit((await bulkhead.EnterAsync()).Lease, CallOutcome.Succeeded);

        AllocatedBytes.Of(Calls).ShouldBe(0);

        void Calls()
        {
            for (var i = 0; i < 1_000; i++)
            {
                bulkhead.TryEnter(out var lease, out _).ShouldBeTrue();
                bulkhead.Exit(lease, CallOutcome.Succeeded);
                var entering = bulkhead.EnterAsync();
                if (entering.IsCompletedSuccessfully)
                {
                    bulkhead.Exit(entering.Result.Lease, CallOutcome.Succeeded);
                }
            }
        }
    }

    [Fact]
    public void Constructor_SharedPolicyAndClock_IdleBulkheadIsSmall()
    {
        const int Count = 1_000;
        var policy = BulkheadPolicy.From("endpoint", new BulkheadOptions { MaxConcurrency = null });
        MonotonicClock clock = new(_time);
        var bulkheads = new Bulkhead[Count];
        var least = AllocatedBytes.LeastOf(() =>
        {
            for (var i = 0; i < Count; i++)
            {
                bulkheads[i] = new("endpoint", policy, clock);
            }
        });

        (least / Count).ShouldBeLessThanOrEqualTo(136);
    }

    private static BulkheadOptions Options(int? limit, int queue = 0, QueueOrder order = QueueOrder.OldestFirst, BulkheadMode mode = BulkheadMode.Enforce) =>
        new() { MaxConcurrency = limit, QueueLength = queue, QueueOrder = order, Mode = mode };

    private static BulkheadLease Enter(Bulkhead bulkhead)
    {
        bulkhead.TryEnter(out var lease, out var refusal).ShouldBeTrue();
        refusal.ShouldBe(default);
        return lease;
    }

    /// <summary>Nobody inside or waiting, no timer left, and exactly as many permits as the limit says.</summary>
    private void ShouldBeEmptyAndWhole(Bulkhead bulkhead)
    {
        var snapshot = bulkhead.Snapshot();
        (snapshot.InFlight, snapshot.Queued, _time.ArmedTimers).ShouldBe((0, 0, 0));
        List<BulkheadLease> leases = [];
        while (bulkhead.TryEnterUncounted(out var lease))
        {
            leases.Add(lease);
        }

        leases.Count.ShouldBe(snapshot.Limit);
        leases.ForEach(lease => bulkhead.Exit(lease, CallOutcome.Ignored));
        bulkhead.Snapshot().InFlight.ShouldBe(0);
    }

    private Bulkhead Create(int? limit, int queue = 0, QueueOrder order = QueueOrder.OldestFirst, BulkheadMode mode = BulkheadMode.Enforce) =>
        new("checkout", Options(limit, queue, order, mode), _time);
}
