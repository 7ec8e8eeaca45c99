using Polly;
using Polly.Timeout;

namespace ResilientHost.Tests.Bulkheads;

public class BulkheadStrategyTests
{
    private readonly ManualTimeProvider _time = new();

    [Fact]
    public async Task Execute_Room_HoldsTheLeaseUntilTheWorkEnds()
    {
        var bulkhead = Create(limit: 1);
        var pipeline = new ResiliencePipelineBuilder().AddResilientBulkhead(bulkhead).Build();
        TaskCompletionSource<int> work = new();

        var running = pipeline.ExecuteAsync(async _ => await work.Task).AsTask();
        bulkhead.Snapshot().InFlight.ShouldBe(1);
        work.SetResult(42);

        (await running).ShouldBe(42);
        bulkhead.Snapshot().InFlight.ShouldBe(0);
    }

    [Fact]
    public async Task Execute_Full_ThrowsTheRefusal()
    {
        var bulkhead = Create(limit: 1);
        bulkhead.TryEnter(out _, out _).ShouldBeTrue();
        var pipeline = new ResiliencePipelineBuilder<int>().AddResilientBulkhead(bulkhead).Build();

        var error = await Should.ThrowAsync<RefusedException>(() => pipeline.ExecuteAsync(_ => ValueTask.FromResult(1)).AsTask());

        error.ShouldBeAssignableTo<ExecutionRejectedException>();
        error.Refusal.Reason.ShouldBe(RefusalReason.BulkheadFull);
        error.Refusal.Source.ShouldBe("pricing");
        Should.Throw<RefusedException>(() => pipeline.Execute(() => 1));
    }

    [Fact]
    public async Task Execute_WaitsInTheQueue_UnderTheCallersToken()
    {
        var bulkhead = Create(limit: 1, queue: 1);
        bulkhead.TryEnter(out var holder, out _).ShouldBeTrue();
        var pipeline = new ResiliencePipelineBuilder().AddResilientBulkhead(bulkhead).Build();
        using CancellationTokenSource cancellation = new();
        var cancelled = pipeline.ExecuteAsync(_ => ValueTask.FromResult(1), cancellation.Token).AsTask();
        bulkhead.Snapshot().Queued.ShouldBe(1);

        await cancellation.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => cancelled);
        bulkhead.Snapshot().Queued.ShouldBe(0);

        var served = pipeline.ExecuteAsync(_ => ValueTask.FromResult(2)).AsTask();
        bulkhead.Exit(holder, CallOutcome.Succeeded);
        (await served).ShouldBe(2);
        bulkhead.Snapshot().InFlight.ShouldBe(0);
    }

    [Fact]
    public async Task Execute_WorkThrowsBeforeOrAfterItsFirstAwait_ReleasesTheLease()
    {
        var bulkhead = Create(limit: 1);
        var pipeline = new ResiliencePipelineBuilder().AddResilientBulkhead(bulkhead).Build();

        await Should.ThrowAsync<InvalidDataException>(() => pipeline.ExecuteAsync(_ => throw new InvalidDataException()).AsTask());
        await Should.ThrowAsync<InvalidDataException>(() => pipeline.ExecuteAsync(async _ =>
        {
            await Task.Yield();
            throw new InvalidDataException();
        }).AsTask());

        bulkhead.Snapshot().InFlight.ShouldBe(0);
    }

    [Fact]
    public async Task Execute_ClassifierThrows_ReleasesTheLease()
    {
        var bulkhead = Create(limit: 1);
        var pipeline = new ResiliencePipelineBuilder<int>().AddResilientBulkhead(bulkhead, _ => throw new InvalidDataException()).Build();

        await Should.ThrowAsync<InvalidDataException>(() => pipeline.ExecuteAsync(_ => ValueTask.FromResult(1)).AsTask());

        bulkhead.Snapshot().InFlight.ShouldBe(0);
    }

    [Fact]
    public async Task Execute_Classifier_SeesTheOutcome()
    {
        var bulkhead = Create(limit: 1);
        List<object?> seen = [];
        var pipeline = new ResiliencePipelineBuilder()
            .AddResilientBulkhead(bulkhead, outcome =>
            {
                seen.Add(outcome.Exception?.GetType() ?? outcome.Result);
                return CallOutcome.Succeeded;
            })
            .AddTimeout(new TimeoutStrategyOptions { Timeout = TimeSpan.FromSeconds(1) })
            .Build();

        await pipeline.ExecuteAsync(_ => ValueTask.FromResult(7));
        await Should.ThrowAsync<InvalidDataException>(() => pipeline.ExecuteAsync(_ => throw new InvalidDataException()).AsTask());

        seen.ShouldBe([7, typeof(InvalidDataException)]);
    }

    [Fact]
    public async Task Execute_OptionsApplied_ReachThePipeline()
    {
        var bulkhead = Create(limit: 1);
        bulkhead.TryEnter(out _, out _).ShouldBeTrue();
        var pipeline = new ResiliencePipelineBuilder().AddResilientBulkhead(bulkhead).Build();

        bulkhead.Apply(new BulkheadOptions { MaxConcurrency = 2 });

        (await pipeline.ExecuteAsync(_ => ValueTask.FromResult(1))).ShouldBe(1);
    }

    private Bulkhead Create(int limit, int queue = 0) =>
        new("pricing", new BulkheadOptions { MaxConcurrency = limit, QueueLength = queue }, _time);
}
