namespace ResilientHost.Tests.Bulkheads;

public partial class BulkheadTests
{
    private static readonly TimeSpan QueueTimeout = TimeSpan.FromSeconds(1);

    [Fact]
    public async Task EnterAsync_Room_CompletesAtOnce()
    {
        var bulkhead = Create(limit: 1, queue: 1);

        var entering = bulkhead.EnterAsync();

        entering.IsCompletedSuccessfully.ShouldBeTrue();
        var admission = await entering;
        admission.IsAdmitted.ShouldBeTrue();
        admission.Refusal.ShouldBe(default);
        bulkhead.Exit(admission.Lease, CallOutcome.Succeeded);
        ShouldBeEmptyAndWhole(bulkhead);
    }

    [Fact]
    public async Task EnterAsync_FullWithoutQueue_IsRefusedAtOnce()
    {
        var bulkhead = Create(limit: 1);
        Enter(bulkhead);

        var entering = bulkhead.EnterAsync();

        entering.IsCompletedSuccessfully.ShouldBeTrue();
        var admission = await entering;
        admission.IsAdmitted.ShouldBeFalse();
        admission.Refusal.Reason.ShouldBe(RefusalReason.BulkheadFull);
        bulkhead.Snapshot().Refused.ShouldBe(1);
    }

    [Fact]
    public async Task EnterAsync_OldestFirst_ServesInOrderOfArrivalAndRefusesTheNewcomer()
    {
        var bulkhead = Create(limit: 1, queue: 2);
        var holder = Enter(bulkhead);
        var first = bulkhead.EnterAsync().AsTask();
        var second = bulkhead.EnterAsync().AsTask();
        bulkhead.Snapshot().Queued.ShouldBe(2);

        (await bulkhead.EnterAsync()).Refusal.Reason.ShouldBe(RefusalReason.BulkheadFull);

        bulkhead.Exit(holder, CallOutcome.Succeeded);
        var admission = await first;
        admission.IsAdmitted.ShouldBeTrue();
        second.IsCompleted.ShouldBeFalse();
        bulkhead.Snapshot().ShouldBe(new BulkheadSnapshot { Limit = 1, InFlight = 1, Queued = 1, Refused = 1 });

        bulkhead.Exit(admission.Lease, CallOutcome.Succeeded);
        bulkhead.Exit((await second).Lease, CallOutcome.Succeeded);
        ShouldBeEmptyAndWhole(bulkhead);
    }

    [Fact]
    public async Task EnterAsync_NewestFirst_ServesTheNewestAndRefusesTheOldest()
    {
        var bulkhead = Create(limit: 1, queue: 2, QueueOrder.NewestFirst);
        var holder = Enter(bulkhead);
        var oldest = bulkhead.EnterAsync().AsTask();
        var middle = bulkhead.EnterAsync().AsTask();
        var newest = bulkhead.EnterAsync().AsTask();

        (await oldest).Refusal.Reason.ShouldBe(RefusalReason.BulkheadFull);
        (middle.IsCompleted, newest.IsCompleted).ShouldBe((false, false));

        bulkhead.Exit(holder, CallOutcome.Succeeded);
        var admission = await newest;
        middle.IsCompleted.ShouldBeFalse();
        bulkhead.Exit(admission.Lease, CallOutcome.Succeeded);
        bulkhead.Exit((await middle).Lease, CallOutcome.Succeeded);
        bulkhead.Snapshot().Refused.ShouldBe(1);
        ShouldBeEmptyAndWhole(bulkhead);
    }

    [Theory]
    [InlineData(QueueOrder.OldestFirst)]
    [InlineData(QueueOrder.NewestFirst)]
    public async Task TryEnter_SomeoneWaits_DoesNotOvertake(QueueOrder order)
    {
        var bulkhead = Create(limit: 1, queue: 2, order);
        var holder = Enter(bulkhead);
        var waiting = bulkhead.EnterAsync().AsTask();
        bulkhead.TryEnter(out _, out _).ShouldBeFalse();

        bulkhead.Exit(holder, CallOutcome.Succeeded);

        bulkhead.TryEnter(out _, out _).ShouldBeFalse("the permit is the waiter's");
        bulkhead.Exit((await waiting).Lease, CallOutcome.Succeeded);
        ShouldBeEmptyAndWhole(bulkhead);
    }

    [Fact]
    public async Task EnterAsync_QueueTimeoutPasses_IsRefusedAndLeavesNoTrace()
    {
        var bulkhead = Create(limit: 1, queue: 1);
        var holder = Enter(bulkhead);
        var waiting = bulkhead.EnterAsync().AsTask();
        _time.ArmedTimers.ShouldBe(1);

        _time.Advance(QueueTimeout - TimeSpan.FromTicks(1));
        waiting.IsCompleted.ShouldBeFalse();
        _time.Advance(TimeSpan.FromTicks(1));

        var admission = await waiting;
        admission.IsAdmitted.ShouldBeFalse();
        admission.Refusal.Reason.ShouldBe(RefusalReason.QueueTimeout);
        admission.Refusal.Source.ShouldBe("checkout");
        admission.Refusal.RetryAfter.ShouldNotBeNull().ShouldBeInRange(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(3));
        bulkhead.Snapshot().ShouldBe(new BulkheadSnapshot { Limit = 1, InFlight = 1, Queued = 0, Refused = 1 });
        bulkhead.Exit(holder, CallOutcome.Succeeded);
        ShouldBeEmptyAndWhole(bulkhead);
    }

    [Fact]
    public async Task EnterAsync_CancelledWhileWaiting_ThrowsWithItsTokenAndLeavesNoTrace()
    {
        var bulkhead = Create(limit: 1, queue: 1);
        var holder = Enter(bulkhead);
        using CancellationTokenSource cancellation = new();
        var waiting = bulkhead.EnterAsync(cancellation.Token).AsTask();

        await cancellation.CancelAsync();

        var error = await Assert.ThrowsAsync<OperationCanceledException>(() => waiting);
        error.CancellationToken.ShouldBe(cancellation.Token);
        waiting.IsCanceled.ShouldBeTrue();
        bulkhead.Snapshot().ShouldBe(new BulkheadSnapshot { Limit = 1, InFlight = 1, Queued = 0, Refused = 0 });
        bulkhead.Exit(holder, CallOutcome.Succeeded);
        ShouldBeEmptyAndWhole(bulkhead);
    }

    [Theory]
    [InlineData(BulkheadMode.Enforce)]
    [InlineData(BulkheadMode.Shadow)]
    [InlineData(BulkheadMode.Disabled)]
    public async Task EnterAsync_TokenCancelledBefore_ThrowsAlsoWhenThereIsRoom(BulkheadMode mode)
    {
        var bulkhead = Create(limit: 1, queue: 1, mode: mode);
        CancellationToken cancelled = new(canceled: true);

        var error = await Assert.ThrowsAsync<OperationCanceledException>(async () => await bulkhead.EnterAsync(cancelled));

        error.CancellationToken.ShouldBe(cancelled);
        bulkhead.Snapshot().InFlight.ShouldBe(0);
    }

    [Fact]
    public async Task EnterAsync_AdmittedThenCancelledAndTimedOut_KeepsItsLease()
    {
        var bulkhead = Create(limit: 1, queue: 1);
        var holder = Enter(bulkhead);
        using CancellationTokenSource cancellation = new();
        var waiting = bulkhead.EnterAsync(cancellation.Token).AsTask();
        bulkhead.Exit(holder, CallOutcome.Succeeded);
        _time.ArmedTimers.ShouldBe(0);

        await cancellation.CancelAsync();
        _time.Advance(QueueTimeout);

        var admission = await waiting;
        admission.IsAdmitted.ShouldBeTrue();
        bulkhead.Snapshot().InFlight.ShouldBe(1);
        bulkhead.Exit(admission.Lease, CallOutcome.Ignored);
        ShouldBeEmptyAndWhole(bulkhead);
    }

    [Fact]
    public async Task Exit_MakesRoom_ContinuationDoesNotRunOnItsStack()
    {
        var bulkhead = Create(limit: 1, queue: 1);
        var holder = Enter(bulkhead);
        using ThreadLocal<bool> exiting = new();
        var ranOnStack = true;
        Task<BulkheadLease>? waiting = null;

        // On a thread of the pool: no synchronization context that would move the continuation away.
        await Task.Run(() =>
        {
            waiting = EnterAsync();
            exiting.Value = true;
            bulkhead.Exit(holder, CallOutcome.Succeeded);
            exiting.Value = false;
        });

        var lease = await waiting.ShouldNotBeNull();
        ranOnStack.ShouldBeFalse();
        bulkhead.Exit(lease, CallOutcome.Succeeded);
        ShouldBeEmptyAndWhole(bulkhead);

        async Task<BulkheadLease> EnterAsync()
        {
            var admission = await bulkhead.EnterAsync();
            ranOnStack = exiting.Value;
            return admission.Lease;
        }
    }

    [Fact]
    public void EnterAsync_TimersCannotBeMade_ThrowsAndLeavesNoTrace()
    {
        Bulkhead bulkhead = new("checkout", Options(1, queue: 1), new NoTimers());
        var holder = Enter(bulkhead);

        Should.Throw<NotSupportedException>(() => bulkhead.EnterAsync().AsTask());

        bulkhead.Snapshot().Queued.ShouldBe(0);
        bulkhead.Exit(holder, CallOutcome.Succeeded);
        Enter(bulkhead);
    }

    private sealed class NoTimers : TimeProvider
    {
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => throw new NotSupportedException();
    }
}
