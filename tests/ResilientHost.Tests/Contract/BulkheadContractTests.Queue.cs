namespace ResilientHost.Tests.Contract;

public sealed partial class BulkheadContractTests
{
    [Theory]
    [InlineData(1L)]
    [InlineData(1_000L)]
    [InlineData(10_000_000L)]
    [InlineData(1_000_000_000L)]
    public async Task EnterAsync_QueueTimeoutOnAnyClock_EndsExactlyThen(long frequency)
    {
        var bulkhead = Make(queue: 1, clock: new OtherClock(_time, frequency));
        var lease = Enter(bulkhead);
        var waiting = bulkhead.EnterAsync(Token).AsTask();
        _time.Advance(Second - Tick);
        waiting.IsCompleted.ShouldBeFalse();
        bulkhead.Snapshot().Queued.ShouldBe(1);
        _time.Advance(Tick);

        var admission = await waiting;

        admission.IsAdmitted.ShouldBeFalse();
        (admission.Refusal.Reason, admission.Refusal.Source).ShouldBe((RefusalReason.QueueTimeout, "checkout"));
        admission.Refusal.RetryAfter.ShouldNotBeNull().ShouldBeGreaterThan(TimeSpan.Zero);
        bulkhead.Exit(lease, CallOutcome.Succeeded);
        ShouldBeEmpty(bulkhead, refused: 1);
    }

    [Fact]
    public async Task EnterAsync_TwoWaiters_EachHasItsOwnTimeout()
    {
        var bulkhead = Make(queue: 2);
        Enter(bulkhead);
        var first = bulkhead.EnterAsync(Token).AsTask();
        _time.Advance(Second / 2);
        var second = bulkhead.EnterAsync(Token).AsTask();
        _time.Advance(Second / 2);
        (await first).Refusal.Reason.ShouldBe(RefusalReason.QueueTimeout);
        second.IsCompleted.ShouldBeFalse();
        _time.Advance(Second / 2);

        (await second).Refusal.Reason.ShouldBe(RefusalReason.QueueTimeout);
    }

    [Theory]
    [InlineData(QueueOrder.OldestFirst, "a b c", "newcomer")]
    [InlineData(QueueOrder.NewestFirst, "d c b", "a")]
    public async Task EnterAsync_QueueFull_RefusesAndServesByOrder(QueueOrder order, string served, string refused)
    {
        var bulkhead = Make(queue: 3, order: order);
        var lease = Enter(bulkhead);
        var names = new[] { "a", "b", "c", order == QueueOrder.OldestFirst ? "newcomer" : "d" };
        var waiting = names.ToDictionary(name => name, _ => bulkhead.EnterAsync(Token).AsTask());

        var loser = await waiting[refused];
        loser.Refusal.Reason.ShouldBe(RefusalReason.BulkheadFull);
        (bulkhead.Snapshot().Queued, bulkhead.Snapshot().Refused).ShouldBe((3, 1L));
        foreach (var name in served.Split(' '))
        {
            bulkhead.Exit(lease, CallOutcome.Succeeded);
            var admission = await waiting[name];
            admission.IsAdmitted.ShouldBeTrue();
            waiting.Remove(name);
            waiting.Values.Count(task => !task.IsCompleted).ShouldBe(bulkhead.Snapshot().Queued);
            lease = admission.Lease;
        }

        bulkhead.Exit(lease, CallOutcome.Succeeded);
        ShouldBeEmpty(bulkhead, refused: 1);
    }

    [Theory]
    [InlineData(QueueOrder.OldestFirst)]
    [InlineData(QueueOrder.NewestFirst)]
    public async Task EnterAsync_WaiterInTheMiddleCancelled_OthersKeepTheirTurn(QueueOrder order)
    {
        var bulkhead = Make(queue: 3, order: order);
        var lease = Enter(bulkhead);
        using var cancellation = new CancellationTokenSource();
        var a = bulkhead.EnterAsync(Token).AsTask();
        var b = bulkhead.EnterAsync(cancellation.Token).AsTask();
        var c = bulkhead.EnterAsync(Token).AsTask();
        await cancellation.CancelAsync();

        var error = await Should.ThrowAsync<OperationCanceledException>(b);
        error.CancellationToken.ShouldBe(cancellation.Token);
        (bulkhead.Snapshot().Queued, bulkhead.Snapshot().Refused).ShouldBe((2, 0L));
        var (next, last) = order == QueueOrder.OldestFirst ? (a, c) : (c, a);
        bulkhead.Exit(lease, CallOutcome.Succeeded);
        lease = (await next).Lease;
        last.IsCompleted.ShouldBeFalse();
        bulkhead.Exit(lease, CallOutcome.Succeeded);
        bulkhead.Exit((await last).Lease, CallOutcome.Succeeded);
        ShouldBeEmpty(bulkhead);
    }

    [Fact]
    public async Task EnterAsync_TokenCancelledBefore_ThrowsThroughTheTaskAndTakesNothing()
    {
        var bulkhead = Make(queue: 1);
        var cancelled = new CancellationToken(canceled: true);

        var entering = bulkhead.EnterAsync(cancelled);

        entering.IsCanceled.ShouldBeTrue();
        (await Should.ThrowAsync<OperationCanceledException>(entering.AsTask())).CancellationToken.ShouldBe(cancelled);
        ShouldBeEmpty(bulkhead);
    }

    [Fact]
    public async Task EnterAsync_CancelledAfterItsRefusal_StaysRefusedOnce()
    {
        var bulkhead = Make(queue: 1);
        var lease = Enter(bulkhead);
        using var cancellation = new CancellationTokenSource();
        var waiting = bulkhead.EnterAsync(cancellation.Token).AsTask();
        _time.Advance(Second);
        await cancellation.CancelAsync();

        (await waiting).Refusal.Reason.ShouldBe(RefusalReason.QueueTimeout);
        bulkhead.Exit(lease, CallOutcome.Succeeded);
        ShouldBeEmpty(bulkhead, refused: 1);
    }

    [Fact]
    public async Task Apply_OtherOrderWithWaiters_ServesByTheNewOne()
    {
        var bulkhead = Make(queue: 2);
        var lease = Enter(bulkhead);
        var older = bulkhead.EnterAsync(Token).AsTask();
        var newer = bulkhead.EnterAsync(Token).AsTask();
        bulkhead.Apply(Options(queue: 2, order: QueueOrder.NewestFirst));
        bulkhead.Exit(lease, CallOutcome.Succeeded);

        (await newer).IsAdmitted.ShouldBeTrue();
        older.IsCompleted.ShouldBeFalse();
    }

    [Fact]
    public async Task Apply_LongerQueue_LetsMoreWait()
    {
        var bulkhead = Make(queue: 1);
        Enter(bulkhead);
        var first = bulkhead.EnterAsync(Token).AsTask();
        (await bulkhead.EnterAsync(Token)).IsAdmitted.ShouldBeFalse();
        bulkhead.Apply(Options(queue: 2));

        var second = bulkhead.EnterAsync(Token).AsTask();

        (first.IsCompleted, second.IsCompleted).ShouldBe((false, false));
        bulkhead.Snapshot().Queued.ShouldBe(2);
    }

    [Fact]
    public async Task Apply_NoLimit_AdmitsEveryWaiter()
    {
        var bulkhead = Make(queue: 3);
        Enter(bulkhead);
        var waiting = Enumerable.Range(0, 3).Select(_ => bulkhead.EnterAsync(Token).AsTask()).ToArray();
        bulkhead.Apply(new BulkheadOptions { MaxConcurrency = null });

        (await Task.WhenAll(waiting)).ShouldAllBe(admission => admission.IsAdmitted);
        bulkhead.Snapshot().InFlight.ShouldBe(4);
        _time.ArmedTimers.ShouldBe(0);
    }

    [Fact]
    public async Task Exit_StaleLeaseWhileSomeoneWaits_AdmitsNobody()
    {
        var bulkhead = Make(queue: 1);
        var stale = Enter(bulkhead);
        bulkhead.Exit(stale, CallOutcome.Succeeded);
        var lease = Enter(bulkhead);
        var waiting = bulkhead.EnterAsync(Token).AsTask();

        bulkhead.Exit(stale, CallOutcome.Succeeded);
        waiting.IsCompleted.ShouldBeFalse();
        bulkhead.Exit(lease, CallOutcome.Succeeded);
        bulkhead.Exit(lease, CallOutcome.Succeeded);
        var admitted = await waiting;

        bulkhead.Snapshot().InFlight.ShouldBe(1);
        bulkhead.Exit(admitted.Lease, CallOutcome.Succeeded);
        ShouldBeEmpty(bulkhead);
    }

    [Fact]
    public async Task EnterAsync_ExitsCancellationsAndTimeoutsRace_NothingIsLostOrMinted()
    {
        for (var round = 0; round < 300; round++)
        {
            var bulkhead = Make(queue: 4);
            var lease = Enter(bulkhead);
            using var cancellation = new CancellationTokenSource();
            var waiting = Enumerable.Range(0, 4).Select(i => bulkhead.EnterAsync(i % 2 == 0 ? cancellation.Token : Token).AsTask()).ToArray();
            using var start = new Barrier(8);
            var threads = Enumerable.Range(0, 8).Select(i => Task.Factory.StartNew(
                () =>
                {
                    start.SignalAndWait(Token);
                    switch (i)
                    {
                        case 0: cancellation.Cancel(); break;
                        case 1: _time.Advance(Second); break;
                        case 2: bulkhead.Apply(Options(max: 2, queue: 4)); break;
                        default: bulkhead.Exit(lease, CallOutcome.Succeeded); break;
                    }
                },
                Token,
                TaskCreationOptions.LongRunning,
                TaskScheduler.Default)).ToArray();
            await Task.WhenAll(threads);
            var leases = new Stack<BulkheadLease>();
            foreach (var wait in waiting)
            {
                try
                {
                    if (!wait.IsCompleted && leases.TryPop(out var held))
                    {
                        bulkhead.Exit(held, CallOutcome.Succeeded);
                    }

                    if (!wait.IsCompleted)
                    {
                        _time.Advance(Second);
                    }

                    var admission = await wait;
                    if (admission.IsAdmitted)
                    {
                        leases.Push(admission.Lease);
                    }
                }
                catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
                {
                    // One of the ends a waiter may have.
                }
            }

            bulkhead.Snapshot().InFlight.ShouldBe(leases.Count);
            leases.Count.ShouldBeLessThanOrEqualTo(2);
            while (leases.TryPop(out var held))
            {
                bulkhead.Exit(held, CallOutcome.Succeeded);
            }

            (bulkhead.Snapshot().InFlight, bulkhead.Snapshot().Queued).ShouldBe((0, 0));
            _time.ArmedTimers.ShouldBe(0);
        }
    }
}
