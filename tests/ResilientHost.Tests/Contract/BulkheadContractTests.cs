using Microsoft.Extensions.Options;

namespace ResilientHost.Tests.Contract;

// Written from the contract alone, against the public API alone.
public sealed partial class BulkheadContractTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Tick = TimeSpan.FromTicks(1);

    private readonly ManualTimeProvider _time = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static BulkheadOptions Options(int max = 1, int queue = 0, QueueOrder order = QueueOrder.OldestFirst, BulkheadMode mode = BulkheadMode.Enforce) =>
        new() { MaxConcurrency = max, QueueLength = queue, QueueOrder = order, Mode = mode };

    private Bulkhead Make(int max = 1, int queue = 0, QueueOrder order = QueueOrder.OldestFirst, BulkheadMode mode = BulkheadMode.Enforce, TimeProvider? clock = null) =>
        new("checkout", Options(max, queue, order, mode), clock ?? _time);

    private static BulkheadLease Enter(Bulkhead bulkhead)
    {
        bulkhead.TryEnter(out var lease, out var refusal).ShouldBeTrue();
        refusal.ShouldBe(default);
        return lease;
    }

    private void ShouldBeEmpty(Bulkhead bulkhead, long refused = 0)
    {
        var snapshot = bulkhead.Snapshot();
        (snapshot.InFlight, snapshot.Queued, snapshot.Refused).ShouldBe((0, 0, refused));
        _time.ArmedTimers.ShouldBe(0);
    }

    [Fact]
    public void Options_Defaults_AreTheContractsValues()
    {
        var options = new BulkheadOptions();

        options.Mode.ShouldBe(BulkheadMode.Enforce);
        options.MaxConcurrency.ShouldBe(256);
        options.QueueLength.ShouldBe(0);
        options.QueueTimeout.ShouldBe(Second);
        options.QueueOrder.ShouldBe(QueueOrder.OldestFirst);
    }

    [Fact]
    public void TryEnter_DefaultOptions_Admits256()
    {
        var bulkhead = new Bulkhead("checkout", new BulkheadOptions(), _time);
        for (var i = 0; i < 256; i++)
        {
            Enter(bulkhead);
        }

        bulkhead.TryEnter(out _, out Refusal _).ShouldBeFalse();
        bulkhead.Snapshot().ShouldBe(new BulkheadSnapshot { Limit = 256, InFlight = 256, Queued = 0, Refused = 1 });
    }

    [Fact]
    public async Task Enter_Full_TellsReasonSourceAndAHintForBothWays()
    {
        var bulkhead = Make();
        Enter(bulkhead);

        bulkhead.TryEnter(out var lease, out var refusal).ShouldBeFalse();
        var admission = await bulkhead.EnterAsync(Token);

        lease.ShouldBe(default);
        (refusal.Reason, refusal.Source).ShouldBe((RefusalReason.BulkheadFull, "checkout"));
        refusal.RetryAfter.ShouldNotBeNull().ShouldBeGreaterThan(TimeSpan.Zero);
        admission.IsAdmitted.ShouldBeFalse();
        admission.Lease.ShouldBe(default);
        (admission.Refusal.Reason, admission.Refusal.Source).ShouldBe((RefusalReason.BulkheadFull, "checkout"));
        bulkhead.Snapshot().Refused.ShouldBe(2);
    }

    [Fact]
    public void TryEnter_QueueHasRoom_NeverWaits()
    {
        var bulkhead = Make(queue: 10);
        Enter(bulkhead);

        bulkhead.TryEnter(out _, out var refusal).ShouldBeFalse();

        refusal.Reason.ShouldBe(RefusalReason.BulkheadFull);
        (bulkhead.Snapshot().Queued, bulkhead.Snapshot().Refused).ShouldBe((0, 1L));
    }

    [Fact]
    public void Exit_EveryOutcome_ReturnsThePermit()
    {
        var bulkhead = Make();
        foreach (var outcome in Enum.GetValues<CallOutcome>())
        {
            bulkhead.Exit(Enter(bulkhead), outcome);
        }

        ShouldBeEmpty(bulkhead);
    }

    [Fact]
    public void Exit_StaleLeaseAgainAndAgain_MintsNoPermit()
    {
        var bulkhead = Make(max: 2);
        var first = Enter(bulkhead);
        bulkhead.Exit(first, CallOutcome.Succeeded);
        Enter(bulkhead);
        Enter(bulkhead);
        for (var i = 0; i < 100; i++)
        {
            bulkhead.Exit(first, CallOutcome.Succeeded);
            bulkhead.Exit(default, CallOutcome.Succeeded);
        }

        bulkhead.Snapshot().InFlight.ShouldBe(2);
        bulkhead.TryEnter(out _, out Refusal _).ShouldBeFalse();
    }

    [Fact]
    public void Exit_LeaseOfAnotherBulkhead_MintsNoPermit()
    {
        var (own, other) = (Make(), Make());
        Enter(own);
        other.Exit(Enter(other), CallOutcome.Succeeded);
        var foreign = Enter(other);

        own.Exit(foreign, CallOutcome.Succeeded);

        own.Snapshot().InFlight.ShouldBe(1);
        other.Snapshot().InFlight.ShouldBe(1);
    }

    [Fact]
    public void Constructor_Invalid_TellsEveryError()
    {
        var error = Should.Throw<OptionsValidationException>(() => new Bulkhead("b", new BulkheadOptions
        {
            MaxConcurrency = 0,
            QueueLength = -1,
            QueueTimeout = TimeSpan.Zero,
            QueueOrder = (QueueOrder)9,
        }));

        error.Failures.Count().ShouldBe(4);
    }

    [Theory]
    [InlineData(BulkheadMode.Shadow)]
    [InlineData(BulkheadMode.Disabled)]
    public async Task EnterAsync_ModeThatNeverRefuses_AdmitsAtOnceBeyondTheLimit(BulkheadMode mode)
    {
        var bulkhead = Make(queue: 5, mode: mode);
        List<BulkheadLease> leases = [];
        for (var i = 0; i < 5; i++)
        {
            var entering = bulkhead.EnterAsync(Token);
            entering.IsCompletedSuccessfully.ShouldBeTrue();
            var admission = await entering;
            admission.IsAdmitted.ShouldBeTrue();
            leases.Add(admission.Lease);
        }

        leases.ForEach(lease => bulkhead.Exit(lease, CallOutcome.Succeeded));
        ShouldBeEmpty(bulkhead);
    }

    [Theory]
    [InlineData(BulkheadMode.Enforce, BulkheadMode.Shadow)]
    [InlineData(BulkheadMode.Enforce, BulkheadMode.Disabled)]
    [InlineData(BulkheadMode.Shadow, BulkheadMode.Enforce)]
    [InlineData(BulkheadMode.Disabled, BulkheadMode.Enforce)]
    public void Apply_OtherModeWithCallsInFlight_EndsBalanced(BulkheadMode from, BulkheadMode to)
    {
        var bulkhead = Make(max: 2, mode: from);
        var (a, b) = (Enter(bulkhead), Enter(bulkhead));
        bulkhead.Apply(Options(max: 2, mode: to));
        bulkhead.Exit(a, CallOutcome.Succeeded);
        bulkhead.Exit(b, CallOutcome.Failed);
        bulkhead.Exit(b, CallOutcome.Failed);

        ShouldBeEmpty(bulkhead);
        Enter(bulkhead);
        Enter(bulkhead);
        if (to == BulkheadMode.Enforce)
        {
            bulkhead.TryEnter(out _, out Refusal _).ShouldBeFalse();
        }
    }

    [Fact]
    public void Default_AdmissionAndLease_AdmitNothing()
    {
        default(BulkheadAdmission).IsAdmitted.ShouldBeFalse();
        default(BulkheadAdmission).ShouldBe(new BulkheadAdmission(false, default, default));
        var bulkhead = Make();
        bulkhead.Exit(default(BulkheadAdmission).Lease, CallOutcome.Succeeded);
        ShouldBeEmpty(bulkhead);
    }

    [Fact]
    public void Enter_LimitLoweredBelowWhatIsInside_AdmitsOnlyBelowTheNewLimit()
    {
        var bulkhead = Make(max: 4);
        var leases = Enumerable.Range(0, 4).Select(_ => Enter(bulkhead)).ToArray();
        bulkhead.Apply(Options(max: 2));
        (bulkhead.Snapshot().Limit, bulkhead.Snapshot().InFlight).ShouldBe((2, 4));

        bulkhead.Exit(leases[0], CallOutcome.Succeeded);
        bulkhead.Exit(leases[1], CallOutcome.Succeeded);
        bulkhead.TryEnter(out _, out Refusal _).ShouldBeFalse();
        bulkhead.Exit(leases[2], CallOutcome.Succeeded);
        Enter(bulkhead);
    }
}
