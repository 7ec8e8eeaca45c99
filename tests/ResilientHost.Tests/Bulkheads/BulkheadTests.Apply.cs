using Microsoft.Extensions.Options;

namespace ResilientHost.Tests.Bulkheads;

public partial class BulkheadTests
{
    [Fact]
    public void Apply_Invalid_ThrowsAndChangesNothing()
    {
        var bulkhead = Create(limit: 1);

        var error = Should.Throw<OptionsValidationException>(() => bulkhead.Apply(Options(0, queue: -1)));

        error.Failures.Count().ShouldBe(2);
        bulkhead.Snapshot().Limit.ShouldBe(1);
        ShouldBeEmptyAndWhole(bulkhead);
    }

    [Fact]
    public async Task Apply_HigherLimit_AdmitsWaitersAtOnce()
    {
        var bulkhead = Create(limit: 1, queue: 3);
        var holder = Enter(bulkhead);
        var first = bulkhead.EnterAsync().AsTask();
        var second = bulkhead.EnterAsync().AsTask();
        var third = bulkhead.EnterAsync().AsTask();

        bulkhead.Apply(Options(3, queue: 3));

        var leases = new[] { (await first).Lease, (await second).Lease };
        third.IsCompleted.ShouldBeFalse();
        bulkhead.Snapshot().ShouldBe(new BulkheadSnapshot { Limit = 3, InFlight = 3, Queued = 1 });
        bulkhead.Exit(holder, CallOutcome.Succeeded);
        bulkhead.Exit((await third).Lease, CallOutcome.Succeeded);
        leases.ToList().ForEach(lease => bulkhead.Exit(lease, CallOutcome.Succeeded));
        ShouldBeEmptyAndWhole(bulkhead);
    }

    [Fact]
    public void Apply_LowerLimit_RevokesNothingAndAdmitsNobodyUntilBelow()
    {
        var bulkhead = Create(limit: 3);
        var leases = Enumerable.Range(0, 3).Select(_ => Enter(bulkhead)).ToList();

        bulkhead.Apply(Options(1));

        foreach (var lease in leases)
        {
            bulkhead.TryEnter(out _, out _).ShouldBeFalse();
            bulkhead.Exit(lease, CallOutcome.Succeeded);
        }

        ShouldBeEmptyAndWhole(bulkhead);
    }

    [Theory]
    [InlineData(QueueOrder.OldestFirst, 2)]
    [InlineData(QueueOrder.NewestFirst, 0)]
    public async Task Apply_ShorterQueue_RefusesWhoeverWouldBeServedLast(QueueOrder order, int refused)
    {
        var bulkhead = Create(limit: 1, queue: 3, order);
        var holder = Enter(bulkhead);
        var waiting = Enumerable.Range(0, 3).Select(_ => bulkhead.EnterAsync().AsTask()).ToArray();

        bulkhead.Apply(Options(1, queue: 2, order));

        (await waiting[refused]).Refusal.Reason.ShouldBe(RefusalReason.BulkheadFull);
        waiting.Count(task => task.IsCompleted).ShouldBe(1);
        bulkhead.Snapshot().ShouldBe(new BulkheadSnapshot { Limit = 1, InFlight = 1, Queued = 2, Refused = 1 });

        bulkhead.Apply(Options(1));
        await Task.WhenAll(waiting);
        bulkhead.Snapshot().ShouldBe(new BulkheadSnapshot { Limit = 1, InFlight = 1, Queued = 0, Refused = 3 });
        bulkhead.Exit(holder, CallOutcome.Succeeded);
        ShouldBeEmptyAndWhole(bulkhead);
    }

    [Theory]
    [InlineData(BulkheadMode.Shadow, 3)]
    [InlineData(BulkheadMode.Disabled, 1)]
    public async Task Apply_LeavesEnforce_AdmitsEveryWaiterAndLeasesStayGood(BulkheadMode mode, int inFlight)
    {
        var bulkhead = Create(limit: 1, queue: 2);
        var holder = Enter(bulkhead);
        var first = bulkhead.EnterAsync().AsTask();
        var second = bulkhead.EnterAsync().AsTask();

        bulkhead.Apply(Options(1, queue: 2, mode: mode));

        var admissions = await Task.WhenAll(first, second);
        admissions.ShouldAllBe(admission => admission.IsAdmitted);
        bulkhead.Snapshot().InFlight.ShouldBe(inFlight);

        bulkhead.Apply(Options(1));
        bulkhead.TryEnter(out _, out _).ShouldBeFalse();
        bulkhead.Exit(holder, CallOutcome.Succeeded);
        admissions.ToList().ForEach(admission => bulkhead.Exit(admission.Lease, CallOutcome.Succeeded));
        ShouldBeEmptyAndWhole(bulkhead);
    }

    [Fact]
    public async Task Apply_OtherQueueTimeout_ConcernsOnlyLaterWaiters()
    {
        var bulkhead = Create(limit: 1, queue: 2);
        var holder = Enter(bulkhead);
        var before = bulkhead.EnterAsync().AsTask();
        bulkhead.Apply(new BulkheadOptions { MaxConcurrency = 1, QueueLength = 2, QueueTimeout = 5 * QueueTimeout });
        var after = bulkhead.EnterAsync().AsTask();

        _time.Advance(QueueTimeout);
        (await before).Refusal.Reason.ShouldBe(RefusalReason.QueueTimeout);
        after.IsCompleted.ShouldBeFalse();

        _time.Advance(4 * QueueTimeout);
        (await after).Refusal.Reason.ShouldBe(RefusalReason.QueueTimeout);
        bulkhead.Exit(holder, CallOutcome.Succeeded);
        ShouldBeEmptyAndWhole(bulkhead);
    }
}
