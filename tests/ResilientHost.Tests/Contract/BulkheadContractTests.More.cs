using Polly;

namespace ResilientHost.Tests.Contract;

public sealed partial class BulkheadContractTests
{
    [Fact]
    public async Task Apply_LimitLoweredWhileSomeWait_WaitersEnterOnlyBelowTheNewLimit()
    {
        var bulkhead = Make(max: 3, queue: 2);
        var leases = Enumerable.Range(0, 3).Select(_ => Enter(bulkhead)).ToArray();
        var (a, b) = (bulkhead.EnterAsync(Token).AsTask(), bulkhead.EnterAsync(Token).AsTask());
        bulkhead.Apply(Options(max: 1, queue: 2));

        bulkhead.Exit(leases[0], CallOutcome.Succeeded);
        bulkhead.Exit(leases[1], CallOutcome.Succeeded);
        (a.IsCompleted, b.IsCompleted).ShouldBe((false, false));
        bulkhead.Exit(leases[2], CallOutcome.Succeeded);
        (await a).IsAdmitted.ShouldBeTrue();
        b.IsCompleted.ShouldBeFalse();
        bulkhead.Exit((await a).Lease, CallOutcome.Succeeded);
        bulkhead.Exit((await b).Lease, CallOutcome.Succeeded);
        ShouldBeEmpty(bulkhead);
    }

    [Fact]
    public async Task Apply_LimitRaised_AdmitsExactlyAsManyWaiters()
    {
        var bulkhead = Make(queue: 4);
        Enter(bulkhead);
        var waiting = Enumerable.Range(0, 4).Select(_ => bulkhead.EnterAsync(Token).AsTask()).ToArray();
        bulkhead.Apply(Options(max: 3, queue: 4));

        await Task.WhenAll(waiting[0], waiting[1]);
        bulkhead.Snapshot().ShouldBe(new BulkheadSnapshot { Limit = 3, InFlight = 3, Queued = 2, Refused = 0 });
        (waiting[2].IsCompleted, waiting[3].IsCompleted).ShouldBe((false, false));
    }

    [Fact]
    public async Task Apply_NoQueueAnyMore_RefusesEveryWaiterOnce()
    {
        var bulkhead = Make(queue: 2);
        var lease = Enter(bulkhead);
        var waiting = Enumerable.Range(0, 2).Select(_ => bulkhead.EnterAsync(Token).AsTask()).ToArray();
        bulkhead.Apply(Options());
        _time.Advance(10 * Second);

        foreach (var wait in waiting)
        {
            (await wait).Refusal.Reason.ShouldBe(RefusalReason.BulkheadFull);
        }

        bulkhead.Exit(lease, CallOutcome.Succeeded);
        ShouldBeEmpty(bulkhead, refused: 2);
        Enter(bulkhead);
    }

    [Fact]
    public async Task Apply_OtherQueueTimeout_KeepsWhatWaitersCameUnder()
    {
        var bulkhead = Make(queue: 2);
        Enter(bulkhead);
        var before = bulkhead.EnterAsync(Token).AsTask();
        var options = Options(queue: 2);
        options.QueueTimeout = 3 * Second;
        bulkhead.Apply(options);
        var after = bulkhead.EnterAsync(Token).AsTask();
        _time.Advance(Second);

        (await before).Refusal.Reason.ShouldBe(RefusalReason.QueueTimeout);
        _time.Advance(2 * Second - Tick);
        after.IsCompleted.ShouldBeFalse();
        _time.Advance(Tick);
        (await after).Refusal.Reason.ShouldBe(RefusalReason.QueueTimeout);
    }

    [Fact]
    public async Task EnterAsync_OthersCancellationCallbackEntersAndLeaves_DoesNotDeadlock()
    {
        var bulkhead = Make(queue: 2);
        var lease = Enter(bulkhead);
        using var cancellation = new CancellationTokenSource();
        using var registration = cancellation.Token.Register(() =>
        {
            bulkhead.Exit(lease, CallOutcome.Succeeded);
            bulkhead.Snapshot();
        });
        var cancelled = bulkhead.EnterAsync(cancellation.Token).AsTask();
        var next = bulkhead.EnterAsync(Token).AsTask();
        await cancellation.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(cancelled);
        bulkhead.Exit((await next).Lease, CallOutcome.Succeeded);
        ShouldBeEmpty(bulkhead);
    }

    [Fact]
    public async Task EnterAsync_PermitAndTimeoutAtOneInstant_EndsOnceAndBalanced()
    {
        var bulkhead = Make(queue: 1);
        var lease = Enter(bulkhead);
        using var timer = _time.CreateTimer(_ => bulkhead.Exit(lease, CallOutcome.Succeeded), null, Second, Timeout.InfiniteTimeSpan);
        var waiting = bulkhead.EnterAsync(Token).AsTask();
        _time.Advance(Second);

        var admission = await waiting;
        admission.IsAdmitted.ShouldBeTrue();
        bulkhead.Exit(admission.Lease, CallOutcome.Succeeded);
        ShouldBeEmpty(bulkhead);
    }

    [Fact]
    public async Task TryEnter_EightThreads_NeverExceedTheLimitAndEndEmpty()
    {
        var bulkhead = Make(max: 3);
        var (inside, worst) = (0, 0);
        using var start = new Barrier(8);
        var threads = Enumerable.Range(0, 8).Select(i => Task.Factory.StartNew(
            () =>
            {
                start.SignalAndWait(Token);
                for (var n = 0; n < 5_000; n++)
                {
                    if (bulkhead.TryEnter(out var lease, out Refusal _))
                    {
                        var now = Interlocked.Increment(ref inside);
                        if (now > 3)
                        {
                            Interlocked.Exchange(ref worst, now);
                        }

                        Interlocked.Decrement(ref inside);
                        bulkhead.Exit(lease, (CallOutcome)(n % 3));
                        bulkhead.Exit(lease, CallOutcome.Succeeded);
                    }
                }
            },
            Token,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default)).ToArray();
        await Task.WhenAll(threads);

        worst.ShouldBe(0);
        bulkhead.Snapshot().InFlight.ShouldBe(0);
        Enter(bulkhead);
        Enter(bulkhead);
        Enter(bulkhead);
        bulkhead.TryEnter(out _, out Refusal _).ShouldBeFalse();
    }

    [Fact]
    public async Task Execute_PipelineCancelledBeforeWhileQueuedAndInside_HoldsNothing()
    {
        var bulkhead = Make(queue: 1);
        var pipeline = new ResiliencePipelineBuilder().AddResilientBulkhead(bulkhead).Build();
        await Should.ThrowAsync<OperationCanceledException>(async () => await pipeline.ExecuteAsync(_ => ValueTask.CompletedTask, new CancellationToken(canceled: true)));

        using var inside = new CancellationTokenSource();
        using var queued = new CancellationTokenSource();
        var gate = new TaskCompletionSource();
        var first = pipeline.ExecuteAsync(async token => await gate.Task.WaitAsync(token), inside.Token).AsTask();
        var second = pipeline.ExecuteAsync(_ => ValueTask.CompletedTask, queued.Token).AsTask();
        bulkhead.Snapshot().ShouldBe(new BulkheadSnapshot { Limit = 1, InFlight = 1, Queued = 1, Refused = 0 });
        await queued.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(second);
        await inside.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(first);

        ShouldBeEmpty(bulkhead);
    }

    [Fact]
    public async Task Execute_WorkIgnoresItsCancellation_LeaseIsHeldUntilItReallyEnds()
    {
        var bulkhead = Make();
        var pipeline = new ResiliencePipelineBuilder().AddResilientBulkhead(bulkhead).Build();
        using var cancellation = new CancellationTokenSource();
        var gate = new TaskCompletionSource();
        var call = pipeline.ExecuteAsync(async _ => await gate.Task, cancellation.Token).AsTask();
        await cancellation.CancelAsync();

        bulkhead.Snapshot().InFlight.ShouldBe(1);
        gate.SetResult();
        await call;
        ShouldBeEmpty(bulkhead);
    }
}
